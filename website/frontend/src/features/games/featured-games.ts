/**
 * The games that stand in front, in this order, for who does not look for one yet: known, lively, of every
 * sort, and of other colours than their neighbours.
 *
 * As many as fill whole rows of two, three, four and six.
 */
export const FEATURED_GAMES: readonly string[] = [
  "ms-pacman",
  "breakout",
  "tetris",
  "qbert",
  "donkey-kong",
  "enduro",
  "seaquest",
  "frogger",
  "freeway",
  "tower-of-hanoi",
  "space-invaders",
  "kung-fu-master",
  "minigrid-door-key-8x8",
  "pitfall",
  "riverraid",
  "zaxxon",
  "frostbite",
  "taxi",
  "montezuma-revenge",
  "video-pinball",
  "lunar-lander",
  "hero",
  "boxing",
  "pong",
];
