#include "kernels/simt/checker_report.h"

#include <set>
#include <sstream>
#include <utility>

#include "kernels/simt/machine.h"

namespace simt::detail {

namespace {

std::set<std::pair<uint32_t, uint32_t>> reported;

const char* name(Access a) {
  switch (a) {
    case Access::read: return "read";
    case Access::write: return "write";
    default: return "atomic";
  }
}

std::string who(const Trace& trace, Access kind) {
  if (kind == Access::read && (trace.who & kSeveralWarps)) return "several threads";
  if (kind == Access::read && (trace.who & kSeveralLanes)) return "several threads of one warp";
  return "thread " + std::to_string(trace.who & kThreadBits);
}

std::string describe_access(Access access, const void* p, size_t bytes, uint32_t pc, const std::string& why) {
  std::ostringstream text;
  text << describe(*machine.current) << " " << name(access) << " of " << bytes << " bytes at " << p << ", "
       << source_line(pc) << ": " << why;
  return text.str();
}

}  // namespace

void forget_reported() { reported.clear(); }

[[gnu::noinline, gnu::cold]] void report_race(const char* kind, Access now, const void* p, uint32_t pc,
                                              Access other, const Trace& trace, bool other_block) {
  if (!reported.insert({pc, trace.pc}).second) return;
  std::ostringstream text;
  text << describe(*machine.current) << " " << name(now) << " of " << p << " at " << source_line(pc)
       << " races with " << name(other) << " by " << who(trace, other)
       << (other_block ? " of another block" : "") << " at " << source_line(trace.pc)
       << (other_block ? " (blocks of one launch have no order)" : "");
  report(kind, text.str());
}

[[gnu::noinline, gnu::cold]] void report_access(const char* kind, Access access, const void* p, size_t bytes,
                                                uint32_t pc, const std::string& why) {
  if (!reported.insert({pc, static_cast<uint32_t>(access)}).second) return;
  report(kind, describe_access(access, p, bytes, pc, why));
}

[[gnu::noinline, gnu::cold]] void fatal_access(const char* kind, Access access, const void* p, size_t bytes,
                                               uint32_t pc, const std::string& why) {
  fatal(kind, describe_access(access, p, bytes, pc, why));
}

[[gnu::noinline, gnu::cold]] void check_misaligned(const void* p, size_t bytes, Access access,
                                                   const void* pc) {
  if (!machine.current) return;
  fatal_access("misaligned", access, p, bytes, image_offset(pc), "not a multiple of its size");
}

}  // namespace simt::detail
