import { useLingui } from "@lingui/react";
import { memo, useState, type CSSProperties } from "react";
import { Link } from "react-router";

import { coverUrl, type Game } from "@/api/client";
import { setFavourite } from "@/api/preferences";
import { paths } from "@/config/paths";
import { formatScore } from "@/lib/format";
import { hueFor } from "@/lib/hue";
import { usePrefersReducedMotion } from "@/lib/media";

const imageClass = "absolute inset-0 size-full object-contain";

interface Props {
  game: Game;
  best: number | null;
  isFavourite: boolean;
  /** True if the card is visible at once, so that its picture is loaded eagerly. */
  isEager?: boolean;
}

/**
 * A game in the library. Memoized, because hundreds of cards would render again for each key typed
 * in the search.
 */
export const GameCard = memo(function GameCard({
  game,
  best,
  isFavourite,
  isEager = false,
}: Props) {
  const { i18n } = useLingui();
  const [isHovered, setHovered] = useState(false);
  const reducedMotion = usePrefersReducedMotion();
  const variants = game.options.find((option) => option.default !== null);
  const nVariants = variants?.values.length ?? 1;
  const showPreview = isHovered && !reducedMotion;
  return (
    <li className="relative [contain-intrinsic-size:auto_16rem] [content-visibility:auto]">
      <Link
        onPointerEnter={() => setHovered(true)}
        onPointerLeave={() => setHovered(false)}
        onFocus={() => setHovered(true)}
        onBlur={() => setHovered(false)}
        to={paths.play(game.id)}
        style={{ "--hue": hueFor(game.id) } as CSSProperties}
        className="group flex h-full flex-col overflow-hidden rounded-2xl border border-line/70 bg-surface shadow-[0_2px_0_var(--shade)] transition duration-200 hover:-translate-y-1 hover:shadow-[0_14px_30px_-8px_var(--shade)]"
      >
        <div className="flex min-h-13 flex-1 items-center py-2 pr-11 pl-3 marquee transition group-hover:brightness-110 sm:pr-14 sm:pl-4">
          <h3 className="text-[1.35rem] sign text-balance sm:text-[1.65rem]">{game.name}</h3>
        </div>
        <div className="aspect-[4/3] overflow-hidden p-1.5 tube sm:p-2.5">
          {game.cover === null ? (
            <NoCover />
          ) : (
            <div className="relative size-full overflow-hidden rounded-md transition duration-300 group-hover:scale-[1.03]">
              <img
                src={coverUrl(game.cover)}
                alt=""
                loading={isEager ? "eager" : "lazy"}
                fetchPriority={isEager ? "high" : "auto"}
                decoding="async"
                className={imageClass}
              />
              {showPreview && game.preview !== null && (
                <img src={coverUrl(game.preview)} alt="" className={imageClass} />
              )}
            </div>
          )}
        </div>
        <div className="flex flex-wrap items-center gap-x-3 px-3 py-2 text-xs sm:px-4 sm:py-3 sm:text-sm">
          <span className="font-semibold text-dim">
            {game.pace.kind === "real-time" ? i18n._("Real time") : i18n._("Turn-based")}
            {game.tags[0] !== undefined && <> · {game.tags[0]}</>}
            {nVariants > 1 && <> · {i18n._("{count} variants", { count: nVariants })}</>}
          </span>
          {best !== null && (
            <span className="ml-auto font-bold whitespace-nowrap">
              <span className="font-semibold text-dim">{i18n._("Best")} </span>
              {formatScore(best)}
            </span>
          )}
        </div>
      </Link>
      <FavouriteButton game={game} isFavourite={isFavourite} />
    </li>
  );
});

/** Marks a game as favourite. The state is visible by shape, not only by colour. */
function FavouriteButton({ game, isFavourite }: { game: Game; isFavourite: boolean }) {
  const { i18n } = useLingui();
  return (
    <button
      type="button"
      aria-pressed={isFavourite}
      aria-label={i18n._("{name} is a favourite", { name: game.name })}
      onClick={() => setFavourite(game, !isFavourite)}
      className="absolute top-1 right-1 grid size-11 place-items-center rounded-full text-on-bright hover:bg-black/10 focus-visible:outline-on-bright"
    >
      <svg viewBox="0 0 24 24" className="size-6" aria-hidden="true">
        <path
          d="M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1.1 5.9L12 16.9l-5.3 2.8 1.1-5.9-4.3-4.1 5.9-.8z"
          fill={isFavourite ? "currentColor" : "none"}
          stroke="currentColor"
          strokeWidth="2"
          strokeLinejoin="round"
        />
      </svg>
    </button>
  );
}

function NoCover() {
  return (
    <div className="grid size-full place-items-center">
      <div className="h-1/3 w-full opacity-80 stripes" />
    </div>
  );
}

/** Placeholder of a game card while the games load. */
export function GameCardSkeleton() {
  return (
    <li aria-hidden="true" className="overflow-hidden rounded-2xl border border-line/70 bg-surface">
      <div className="h-13 bg-raised" />
      <div className="aspect-[4/3] tube" />
      <div className="h-11" />
    </li>
  );
}
