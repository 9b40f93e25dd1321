import { BoardView } from "@/features/boards/board-page";

export function BoardRoute() {
  return <BoardView />;
}
