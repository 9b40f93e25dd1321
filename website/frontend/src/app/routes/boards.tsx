import { BoardsList } from "@/features/boards/boards-list";

export function BoardsRoute() {
  return <BoardsList />;
}
