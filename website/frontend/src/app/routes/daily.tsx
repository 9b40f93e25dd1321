import { DailyView } from "@/features/boards/daily-page";

export function DailyRoute() {
  return <DailyView />;
}
