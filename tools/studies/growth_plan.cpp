#include "tools/studies/growth_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace shoal {

std::int64_t cost_of(const Course& course) {
  std::int64_t cost = 0;
  for (const Stage& s : course) cost += static_cast<std::int64_t>(s.width) * s.epochs;
  return cost;
}

int epochs_of(const Course& course) {
  int epochs = 0;
  for (const Stage& s : course) epochs += s.epochs;
  return epochs;
}

std::string_view name_of(Schedule s) {
  return s == Schedule::early ? "early" : s == Schedule::even ? "even" : "late";
}

std::optional<Course> course_of(int from, int to, std::int64_t cost, Schedule schedule) {
  const double share = schedule == Schedule::early ? 0.75 : schedule == Schedule::even ? 0.5 : 0.25;
  Course course;
  for (int w = from; w != to; w = from < to ? 2 * w : w / 2) course.push_back({w, 0});
  course.push_back({to, std::max(1, static_cast<int>(std::lround(share * static_cast<double>(cost) / to)))});
  const std::size_t others = course.size() - 1, narrowest = from < to ? 0 : others;
  // From the widest on, whose epochs are the coarsest; the narrowest takes the rest.
  double left = static_cast<double>(cost - cost_of(course));
  for (std::size_t i = 0; i < others; ++i) {
    Stage& s = course[from < to ? others - 1 - i : i];
    s.epochs = std::max(1, static_cast<int>(std::lround(left / static_cast<double>(others - i) / s.width)));
    left -= static_cast<double>(s.width) * s.epochs;
  }
  const std::int64_t rest = cost - cost_of(course), width = course[narrowest].width;
  course[narrowest].epochs += static_cast<int>(rest / width);
  if (course[narrowest].epochs < 1 || cost_of(course) != cost) return std::nullopt;
  return course;
}

Course restarts_of(const Course& course, int width) {
  Course restarts;
  const std::int64_t whole = cost_of(course) / width;
  double spent = 0;
  int begun = 0;
  for (const Stage& s : course) {
    spent += static_cast<double>(s.width) * s.epochs;
    const int until = static_cast<int>(std::lround(spent / width));
    if (until > begun) restarts.push_back({width, until - begun}), begun = until;
  }
  if (restarts.empty()) return {{width, static_cast<int>(whole)}};
  restarts.back().epochs += static_cast<int>(whole) - begun;
  return restarts;
}

std::string name_of(const Arm& arm) {
  switch (arm.kind) {
    case ArmKind::fixed: return fmt::format("fixed-{}", arm.course.front().width);
    case ArmKind::restart: return fmt::format("restart-{}", name_of(arm.schedule));
    case ArmKind::grow: return fmt::format("grow-{}-{}", name_of(arm.how), name_of(arm.schedule));
    case ArmKind::shrink: return fmt::format("shrink-{}", name_of(arm.schedule));
    case ArmKind::gate: return fmt::format("gate-{}", arm.rate);
  }
  return {};
}

std::string words_of(const Arm& arm) {
  const int first = arm.course.front().width, last = arm.course.back().width;
  const std::string_view when = name_of(arm.schedule);
  switch (arm.kind) {
    case ArmKind::fixed: return fmt::format("{} from the beginning", first);
    case ArmKind::restart: return fmt::format("{}, restarted, {}", last, when);
    case ArmKind::grow:
      return fmt::format("{} to {}, {}, {}", first, last,
                         arm.how == Growth::silent  ? "silent"
                         : arm.how == Growth::split ? "split"
                         : arm.how == Growth::twin  ? "twins"
                                                    : "fresh",
                         when);
    case ArmKind::shrink: return fmt::format("{} to {}, {}", first, last, when);
    case ArmKind::gate: return fmt::format("size gate, rate {}", arm.rate);
  }
  return {};
}

namespace {

Course needed(const GrowthSpec& s, int from, Schedule schedule) {
  const auto course = course_of(from, s.final, budget_of(s), schedule);
  if (!course)
    throw SpecError(fmt::format(
        "{} epochs of {} neurons are too little to go from {} to {} with at least one epoch at each width: "
        "more --epochs, or fewer widths, are needed",
        s.epochs, s.final, from, s.final));
  return *course;
}

}  // namespace

std::vector<Arm> growth_arms(const GrowthSpec& s) {
  std::vector<Arm> arms;
  for (const int width : {s.final, s.start, s.widest})
    arms.push_back({ArmKind::fixed, {}, {}, 1, {{width, static_cast<int>(budget_of(s) / width)}}});
  for (const Schedule schedule : kSchedules) {
    const Course course = needed(s, s.start, schedule);
    arms.push_back({ArmKind::restart, schedule, {}, 1, restarts_of(course, s.final)});
    for (const Growth how : {Growth::silent, Growth::split, Growth::twin, Growth::fresh})
      if (schedule == Schedule::even || how == Growth::silent || how == Growth::split)
        arms.push_back({ArmKind::grow, schedule, how, 1, course});
  }
  for (const Schedule schedule : kSchedules)
    arms.push_back({ArmKind::shrink, schedule, {}, 1, needed(s, s.widest, schedule)});
  for (const double rate : {1.0, 0.1})
    arms.push_back({ArmKind::gate, {}, {}, rate, {{s.final, 2 * s.epochs}}});
  return arms;
}

std::vector<int> horizons_of(const GrowthSpec& s) {
  std::vector<int> horizons;
  for (int h = 1; h < s.horizon; h *= 2) horizons.push_back(h);
  horizons.push_back(s.horizon);
  return horizons;
}

std::vector<int> growing_widths(const GrowthSpec& s) {
  std::vector<int> widths;
  for (int w = s.start; w < s.final; w *= 2) widths.push_back(w);
  return widths;
}

}  // namespace shoal
