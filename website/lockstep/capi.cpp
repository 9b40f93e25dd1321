// SPDX-License-Identifier: MIT
//
// The functions that the page calls. An instance of the module runs one game. As in Gymnasium (ale_py/env.py),
// reset(seed) reloads the ROM and resets the game, and a step is `skip` calls of act(), each for one frame.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "ale/ale_interface.hpp"
#include "zlib.h"

#define EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

// ROM and name that the page wrote. `shims/zlib.h` reads the ROM.
std::vector<std::uint8_t> rom;
std::string name;

ale::ALEInterface* game = nullptr;
ale::ActionVect actions;
std::uint32_t rgba[160 * 300];
std::uint32_t digest = 0;

std::uint32_t table[8][256];

void make_table() {
  for (std::uint32_t i = 0; i < 256; i++) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; bit++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    table[0][i] = c;
  }
  for (int k = 1; k < 8; k++)
    for (std::uint32_t i = 0; i < 256; i++) table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 255];
}

// CRC-32, identical to zlib's, computed eight bytes at a time.
std::uint32_t crc(std::uint32_t start, const void* from, std::size_t length) {
  const auto* data = static_cast<const std::uint8_t*>(from);
  std::uint32_t c = ~start;
  for (; length >= 8; length -= 8, data += 8) {
    std::uint32_t low, high;
    std::memcpy(&low, data, 4);
    std::memcpy(&high, data + 4, 4);
    low ^= c;
    c = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
        table[3][high & 255] ^ table[2][high >> 8 & 255] ^ table[1][high >> 16 & 255] ^ table[0][high >> 24];
  }
  while (length--) c = c >> 8 ^ table[0][(c ^ *data++) & 255];
  return ~c;
}

// Adds an observation to the digest: screen, RAM, then reward, lives and flags as little-endian 32-bit integers.
void update_digest(std::int32_t reward) {
  const ale::ALEScreen& screen = game->getScreen();
  digest = crc(digest, screen.getArray(), screen.arraySize());
  digest = crc(digest, game->getRAM().array(), 128);
  const std::int32_t rest[3] = {reward, game->lives(), game->game_over(false) | game->game_truncated() << 1};
  digest = crc(digest, rest, sizeof rest);
}

}  // namespace

extern "C" {
const std::uint8_t* lockstep_rom_data() { return rom.data(); }
std::size_t lockstep_rom_size() { return rom.size(); }

// A throw becomes a trap, because ALE throws only if it is misused.
void* __cxa_allocate_exception(std::size_t) { __builtin_trap(); }
void __cxa_throw(void*, void*, void (*)(void*)) { __builtin_trap(); }
}

// libc++ without file support has paths, but lacks this function.
std::string_view std::filesystem::path::__stem() const {
  std::string_view file = native();
  if (auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  if (auto dot = file.rfind('.'); dot != file.npos && dot > 0) file = file.substr(0, dot);
  return file;
}

// Returns the address to write a ROM of `size` bytes to.
EXPORT(rom_room) void* rom_room(std::size_t size) {
  rom.resize(size);
  return rom.data();
}

// Returns the address to write the game's snake_case name of `size` bytes to.
EXPORT(name_room) void* name_room(std::size_t size) {
  name.resize(size);
  return name.data();
}

// Starts the ROM that was written. -1 for `mode` or `difficulty` selects the ROM's default. Returns 0 on success, 1 for an
// unknown mode, 2 for an unknown difficulty.
EXPORT(load)
std::int32_t load(std::int32_t seed, double sticky, std::int32_t max_frames, std::int32_t mode, std::int32_t difficulty,
                  std::int32_t all_actions) {
  if (game == nullptr) {
    make_table();
    ale::Logger::setMode(ale::Logger::Error);
    game = new ale::ALEInterface();
  }
  game->setFloat("repeat_action_probability", static_cast<float>(sticky));
  game->setInt("max_num_frames_per_episode", max_frames);
  game->setInt("random_seed", seed);
  game->setBool("sound_obs", true);
  game->loadROM(name + ".bin");
  if (mode >= 0) {
    const ale::ModeVect known = game->getAvailableModes();
    if (std::find(known.begin(), known.end(), static_cast<unsigned>(mode)) == known.end()) return 1;
    game->setMode(mode);
  }
  if (difficulty >= 0) {
    const ale::DifficultyVect known = game->getAvailableDifficulties();
    if (std::find(known.begin(), known.end(), static_cast<unsigned>(difficulty)) == known.end()) return 2;
    game->setDifficulty(difficulty);
  }
  actions = all_actions ? game->getLegalActionSet() : game->getMinimalActionSet();
  game->reset_game();
  digest = 0;
  update_digest(0);
  return 0;
}

EXPORT(n_actions) std::int32_t n_actions() { return static_cast<std::int32_t>(actions.size()); }

// Takes a step and returns the reward.
EXPORT(step) std::int32_t step(std::int32_t action, std::int32_t skip) {
  std::int32_t reward = 0;
  for (; skip > 0; skip--) reward += game->act(actions[action]);
  update_digest(reward);
  return reward;
}

EXPORT(lives) std::int32_t lives() { return game->lives(); }
EXPORT(terminated) std::int32_t terminated() { return game->game_over(false); }
EXPORT(truncated) std::int32_t truncated() { return game->game_truncated(); }
EXPORT(width) std::int32_t width() { return static_cast<std::int32_t>(game->getScreen().width()); }
EXPORT(height) std::int32_t height() { return static_cast<std::int32_t>(game->getScreen().height()); }

// Returns the screen as palette indices, one byte per pixel.
EXPORT(screen) const void* screen() { return game->getScreen().getArray(); }

// Returns the 128 bytes of RAM.
EXPORT(ram) const void* ram() { return game->getRAM().array(); }

// Returns the screen in the format of the browser's ImageData: red, green, blue, 255.
EXPORT(picture) const void* picture() {
  const ale::ALEScreen& screen = game->getScreen();
  const std::uint8_t* from = screen.getArray();
  const ale::ColourPalette& palette = game->theOSystem->colourPalette();
  for (std::size_t i = 0; i < screen.arraySize(); i++) {
    const std::uint32_t rgb = palette.getRGB(from[i]);
    rgba[i] = 0xFF000000u | (rgb & 255) << 16 | (rgb & 0xFF00) | (rgb >> 16 & 255);
  }
  return rgba;
}

// Returns the sound of the last frame: unsigned samples of one byte.
EXPORT(sound) const void* sound() { return game->getAudio().data(); }
EXPORT(sound_size) std::int32_t sound_size() { return static_cast<std::int32_t>(game->getAudio().size()); }

// Returns the CRC-32 of all observations since `load`.
EXPORT(digest) std::uint32_t get_digest() { return digest; }
