// SPDX-License-Identifier: MIT
//
// The part of zlib that ALE uses. gzopen and gzread read the ROM from the memory that the page wrote it to. PNG export is
// not used.

#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

extern "C" const std::uint8_t* lockstep_rom_data();
extern "C" std::size_t lockstep_rom_size();

using gzFile = int;
using uLong = unsigned long;
using uLongf = unsigned long;
using uInt = unsigned;
using Bytef = unsigned char;
#ifndef Z_OK
#define Z_OK 0
#endif

inline gzFile gzopen(const char*, const char*) { return lockstep_rom_size() > 0; }
inline int gzread(gzFile, void* to, unsigned max_bytes) {
  const std::size_t size = std::min<std::size_t>(max_bytes, lockstep_rom_size());
  std::memcpy(to, lockstep_rom_data(), size);
  return static_cast<int>(size);
}
inline int gzclose(gzFile) { return 0; }
inline uLong crc32(uLong, const Bytef*, uInt) { return 0; }
inline int compress(Bytef*, uLongf*, const Bytef*, uLong) { return -1; }
