/**
 * Featured games in this order: well-known, lively and of different kinds and colours.
 *
 * Their number fills whole rows of two, three, four and six.
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
  "minigrid-door-key",
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
