import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { gamesQuery } from "@/api/queries";
import type { Game } from "@/api/client";
import { type FramePicture, framePictureQuery } from "@/api/research";
import { paths } from "@/config/paths";
import { formatCount } from "@/lib/format";
import { i18n } from "@/lib/i18n";

import type { ChartRow } from "./figure";
import { Frame } from "./plots";
import { formatNumber } from "./scale";

const MAX_WIDTH = 520;
const TITLE_HEIGHT = 26;
const GAP = 14;
/** Widest level of cells whose numbers are written into the cells. */
const MAX_LABELLED_COLUMNS = 12;

interface Cell {
  column: number;
  row: number;
  deaths: number;
  players: number;
  episodeId: string;
  frame: number;
}

/** The cells of one screen of one variant. */
export interface DeathMapData {
  variant: string;
  screen: number;
  columns: number;
  rows: number;
  cells: readonly Cell[];
}

/** Returns the maps of the chart's rows, those with the most deaths first. */
export function listMaps(rows: readonly ChartRow[]): DeathMapData[] {
  const maps = new Map<string, DeathMapData & { cells: Cell[] }>();
  const total = ({ cells }: DeathMapData) => cells.reduce((sum, { deaths }) => sum + deaths, 0);
  for (const row of rows) {
    const of = (name: string) => Number(row[name] ?? 0);
    const variant = String(row.variant);
    const key = [variant, of("screen"), of("columns"), of("rows")].join(" ");
    const map = maps.get(key) ?? {
      variant,
      screen: of("screen"),
      columns: of("columns"),
      rows: of("rows"),
      cells: [],
    };
    map.cells.push({
      column: of("column"),
      row: of("row"),
      deaths: of("deaths"),
      players: of("players"),
      episodeId: String(row.episode_id),
      frame: of("frame"),
    });
    maps.set(key, map);
  }
  return [...maps.values()].sort((a, b) => total(b) - total(a));
}

interface Props {
  rows: readonly ChartRow[];
  width: number;
  label: string;
  userId: string;
}

/** Deaths by cell, over the picture of a death. A cell opens the replay of its newest death. */
export function DeathMap({ rows, width, label, userId }: Props) {
  const { i18n } = useLingui();
  const games = useQuery(gamesQuery);
  const maps = listMaps(rows);
  const pictures = [
    useMapPicture(userId, maps[0]),
    useMapPicture(userId, maps[1]),
    useMapPicture(userId, maps[2]),
    useMapPicture(userId, maps[3]),
  ];
  const most = Math.max(...maps.flatMap(({ cells }) => cells.map(({ deaths }) => deaths)), 1);
  const mapWidth = Math.min(width, MAX_WIDTH);
  const placed = placeMaps(
    maps,
    pictures.map(({ picture }) => picture),
    games.data ?? [],
    mapWidth,
  );
  const last = placed.at(-1);
  const bottom = last === undefined ? 0 : last.top + last.height + GAP;
  const isWithoutPicture = pictures.some(({ isError }) => isError);
  return (
    <>
      <Frame label={label} width={mapWidth} height={bottom} hasLinks>
        {placed.map(({ map, picture, top, height }) => (
          <g key={`${map.variant} ${String(map.screen)} ${String(map.columns)}`}>
            <text x={0} y={top - 8} className="fill-ink font-semibold">
              {describeMap(map)}
            </text>
            <rect x={0} y={top} width={mapWidth} height={height} className="fill-bg" />
            {picture !== null && (
              <image
                href={picture.href}
                x={0}
                y={top}
                width={mapWidth}
                height={height}
                opacity={0.55}
                preserveAspectRatio="none"
                style={{ imageRendering: "pixelated" }}
              />
            )}
            {map.cells.map((cell) => (
              <DeathCell
                key={`${String(cell.column)} ${String(cell.row)}`}
                cell={cell}
                share={cell.deaths / most}
                x={(cell.column / map.columns) * mapWidth}
                y={top + (cell.row / map.rows) * height}
                width={mapWidth / map.columns}
                height={height / map.rows}
                hasNumber={map.columns <= MAX_LABELLED_COLUMNS}
              />
            ))}
          </g>
        ))}
      </Frame>
      <p className="mt-2 text-sm text-dim">
        {i18n._(
          "The fuller the colour, the more deaths; the fullest cell has {count}. A cell opens the replay of its newest death.",
          { count: formatNumber(most) },
        )}
        {isWithoutPicture && ` ${i18n._("A recording without frames has no picture.")}`}
      </p>
    </>
  );
}

interface PlacedMap {
  map: DeathMapData;
  picture: FramePicture | null;
  top: number;
  height: number;
}

/** Returns the maps with their places below each other, in the shape of their pictures. */
function placeMaps(
  maps: readonly DeathMapData[],
  pictures: readonly (FramePicture | null)[],
  games: readonly Game[],
  width: number,
): PlacedMap[] {
  return maps.reduce<PlacedMap[]>((placed, map, index) => {
    const game = games.find(({ id }) => map.variant.split("?")[0] === id);
    const picture = pictures[index] ?? null;
    const aspect =
      picture === null
        ? map.columns / map.rows
        : (picture.width * (game?.show.pixel_aspect ?? 1)) / picture.height;
    const above = placed.at(-1);
    const top = (above === undefined ? 0 : above.top + above.height + GAP) + TITLE_HEIGHT;
    return [...placed, { map, picture, top, height: width / aspect }];
  }, []);
}

interface DeathCellProps {
  cell: Cell;
  share: number;
  x: number;
  y: number;
  width: number;
  height: number;
  hasNumber: boolean;
}

function DeathCell({ cell, share, x, y, width, height, hasNumber }: DeathCellProps) {
  const { i18n } = useLingui();
  const values = {
    column: cell.column + 1,
    row: cell.row + 1,
    deaths: formatCount(cell.deaths, "death"),
    players: formatCount(cell.players, "player"),
  };
  return (
    <Link
      to={paths.replayFrame(cell.episodeId, cell.frame)}
      tabIndex={-1}
      aria-label={i18n._(
        "Replay of a death in column {column}, row {row}: {deaths} of {players}",
        values,
      )}
    >
      <title>{i18n._("Column {column}, row {row}: {deaths} of {players}", values)}</title>
      <rect
        x={x}
        y={y}
        width={width}
        height={height}
        fillOpacity={0.25 + 0.7 * Math.sqrt(share)}
        strokeWidth={0.5}
        className="fill-series-1 stroke-bg hover:stroke-ink"
      />
      {hasNumber && (
        <text
          x={x + width / 2}
          y={y + height / 2 + 6}
          textAnchor="middle"
          strokeWidth={3}
          paintOrder="stroke"
          className="fill-ink stroke-bg text-base font-bold"
        >
          {formatNumber(cell.deaths)}
        </text>
      )}
    </Link>
  );
}

function describeMap({ variant, screen, cells }: DeathMapData): string {
  const n = cells.reduce((sum, { deaths }) => sum + deaths, 0);
  const deaths = formatCount(n, "death");
  return screen === 0
    ? `${variant}: ${deaths}`
    : i18n._("{variant}, screen {screen}: {deaths}", { variant, screen, deaths });
}

/** Picture before the newest death of a map: null while it is loaded, and if there is none. */
function useMapPicture(userId: string, map: DeathMapData | undefined) {
  const newest = map?.cells.reduce((best, cell) => (cell.episodeId > best.episodeId ? cell : best));
  const picture = useQuery({
    ...framePictureQuery(userId, newest?.episodeId ?? "", newest?.frame ?? 0),
    enabled: newest !== undefined,
  });
  return { picture: picture.data ?? null, isError: picture.isError };
}
