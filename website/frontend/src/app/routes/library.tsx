import { Title } from "@/components/title";
import { Library } from "@/features/games/library";

export function LibraryRoute() {
  return (
    <>
      <Title>{""}</Title>
      <Library />
    </>
  );
}
