// SPDX-License-Identifier: MIT
//
// Included before every file. This libc++ has no files, so file streams never open. Every path exists, because the ROM is
// in memory.

#pragma once
#include <filesystem>
#include <istream>
#include <ostream>
#include <string>

namespace std {

template <>
class basic_ifstream<char> : public istream {
 public:
  template <class Path>
  explicit basic_ifstream(const Path&, ios_base::openmode = ios_base::in) : istream(nullptr) {}
  void close() {}
};

template <>
class basic_ofstream<char> : public ostream {
 public:
  template <class Path>
  explicit basic_ofstream(const Path&, ios_base::openmode = ios_base::out) : ostream(nullptr) {}
  void close() {}
};

namespace filesystem {
inline bool exists(const path&) { return true; }
}  // namespace filesystem

}  // namespace std
