// Where in the source a barrier or warp operation stands. (std::source_location is unknown to clang 14; the
// builtins are not.)
#pragma once

namespace simt {

struct Location {
  const char* file = "";
  int line = 0;
  static constexpr Location current(const char* f = __builtin_FILE(), int l = __builtin_LINE()) {
    return {f, l};
  }
};

}  // namespace simt
