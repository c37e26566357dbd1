// What the growth study trains: arms that spend the same cost in different ways. Cost is counted in
// neuron-epochs: one neuron of the hidden layer, one pass over the training data. Of a layer of h neurons a
// sample takes 4 features h + 6 h classes floating-point operations, forward and backward, so that equal
// neuron-epochs are equal work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/grow.h"

namespace shoal {

/// A width, and the epochs that it is trained for. The optimizer begins anew in every stage.
struct Stage {
  int width, epochs;
  bool operator==(const Stage&) const = default;
};
using Course = std::vector<Stage>;

std::int64_t cost_of(const Course&);
int epochs_of(const Course&);

/// When the final width is reached: its share of the cost is 3/4, 1/2 or 1/4.
enum class Schedule { early, even, late };
constexpr Schedule kSchedules[] = {Schedule::early, Schedule::even, Schedule::late};
std::string_view name_of(Schedule);

/// Widths from `from` to `to` by doubling or halving, of exactly this cost in whole epochs, at least one at
/// each width: the final width has about the schedule's share, the others the same cost each, and the
/// narrowest takes what is left. Nothing where that cannot be.
std::optional<Course> course_of(int from, int to, std::int64_t cost, Schedule);

/// One width throughout, begun anew whenever `course` has spent as much: what the new beginnings do alone.
Course restarts_of(const Course& course, int width);

/// What an arm does.
enum class ArmKind {
  fixed,    // one width from the beginning
  restart,  // the final width, the optimizer begun anew when the growing arms do
  grow,
  shrink,  // the least important half of the neurons leaves, by the exact rise of the training loss
  gate,    // a size gate opens from the start width, by itself
};

struct Arm {
  ArmKind kind = ArmKind::fixed;
  Schedule schedule = Schedule::even;  // of restart, grow, shrink
  Growth how = Growth::silent;         // of grow
  double rate = 1;                     // of a gate: at which x0 learns
  Course course;                       // of a gate: its layer, and the most epochs that it has
};
/// "fixed-64", "grow-split-even", "shrink-late", "gate-0.1": in files.
std::string name_of(const Arm&);
/// "8 to 64 by splitting, even", ...: in figures and sentences.
std::string words_of(const Arm&);

struct GrowthSpec {
  int start = 8, final = 64, widest = 256;
  int epochs = 24;  // of the final width: the cost is final * epochs
  std::vector<int> moments{1, 3, 9, 27};
  int horizon = 8;
};
inline std::int64_t budget_of(const GrowthSpec& s) { return static_cast<std::int64_t>(s.final) * s.epochs; }

/// All arms; the first is the final width, fixed. SpecError where the cost is too little for a course.
std::vector<Arm> growth_arms(const GrowthSpec&);

/// Epochs of a doubled layer after which it is compared: 1, 2, 4, ..., horizon.
std::vector<int> horizons_of(const GrowthSpec&);

/// The widths that grow: start, ..., final / 2.
std::vector<int> growing_widths(const GrowthSpec&);

}  // namespace shoal
