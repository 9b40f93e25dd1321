/**
 * The games that stand in front, in this order, for who does not look for one yet: known, lively, and of every sort.
 *
 * As many as fill whole rows of two, three, four and six.
 */
export const FRONT_ROW: readonly string[] = [
  "ms-pacman",
  "breakout",
  "space-invaders",
  "seaquest",
  "qbert",
  "pitfall",
  "tetris",
  "donkey-kong",
  "enduro",
  "frogger",
  "montezuma-revenge",
  "lunar-lander",
  "riverraid",
  "kung-fu-master",
  "tower-of-hanoi",
  "video-pinball",
  "frostbite",
  "boxing",
  "minigrid-key-corridor-4-3",
  "mario-bros",
  "pong",
  "freeway",
  "zaxxon",
  "taxi",
];
