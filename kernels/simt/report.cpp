// The words of the reports.
#include <algorithm>
#include <cstdio>

#include "kernels/simt/machine.h"

namespace simt::detail {

void report(const char* kind, const std::string& text) {
  if (machine.reports.size() < machine.options.max_reports) machine.reports.push_back({kind, text});
  else ++machine.reports_dropped;
}

void fatal(const char* kind, const std::string& text) {
  report(kind, text);
  throw Abandoned{};
}

void no_thread_can_run() { fatal("barrier divergence", "no thread can run:" + census()); }

void outside_kernel(const char* what) { throw Error(std::string(what) + " outside a kernel", {}); }

std::string describe(const Thread& t) {
  const uint3 b = machine.block;
  return "block(" + std::to_string(b.x) + "," + std::to_string(b.y) + "," + std::to_string(b.z) +
         ") thread " + std::to_string(t.id);
}

std::string describe(const Location& at) {
  const std::string file = at.file;
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(at.line);
}

static std::string situation(const Thread& t) {
  char mask[32];
  std::snprintf(mask, sizeof mask, " mask %08x", t.mask);
  switch (t.state) {
    case State::at_barrier: return "at the block barrier " + describe(t.at);
    case State::at_warp_operation: return std::string("in ") + t.operation + " " + describe(t.at) + mask;
    case State::at_named_barrier: return "at named barrier " + std::to_string(t.named) + " " + describe(t.at);
    case State::exited: return "have left the kernel";
    default: return "can run";
  }
}

std::string census() {
  struct Group {
    std::string situation;
    unsigned count, first;
  };
  std::vector<Group> groups;
  for (unsigned i = 0; i < machine.threads; ++i) {
    const std::string s = situation(machine.thread[i]);
    const auto it =
        std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.situation == s; });
    if (it == groups.end()) groups.push_back({s, 1, i});
    else ++it->count;
  }
  std::string text;
  for (const Group& g : groups)
    text += "\n      " + std::to_string(g.count) + " threads " + g.situation + " (first: thread " +
            std::to_string(g.first) + ")";
  return text;
}

}  // namespace simt::detail
