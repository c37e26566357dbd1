// Runs a piece of a test under every order the emulator knows.
#pragma once

#include <string>
#include <vector>

#include "kernels/simt/host.h"

inline std::vector<simt::Options> schedules() {
  std::vector<simt::Options> all;
  all.push_back({.order = simt::Order::forward});
  all.push_back({.order = simt::Order::reverse});
  for (uint32_t seed = 1; seed <= 4; ++seed) all.push_back({.order = simt::Order::random, .seed = seed});
  return all;
}

// True if one of the reports is of this kind.
inline bool has_kind(const simt::Error& e, const std::string& kind) {
  for (const simt::Report& r : e.reports)
    if (r.kind == kind) return true;
  return false;
}

// The reports of a launch; none if it was clean.
template <class Launch>
std::vector<simt::Report> reports_of(Launch launch) {
  try {
    launch();
  } catch (const simt::Error& e) { return e.reports; }
  return {};
}
