// Every planted mistake must be named by the builds that promise to see it, and its correct twin must pass in
// silence everywhere.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/simt/child.h"
#include "tests/simt/planted.h"
#include "tests/simt/schedules.h"

using planted::Defect;

namespace {

struct Case {
  std::string name;
  Defect which;
  std::string everywhere;  // the kind of report in every build; empty if only the builds below see it
  std::string checked;     // the kind of report in the checked build
  std::string asan;        // what the dying program says in the ASan build
  bool wrong_values;       // the results of some schedule differ from the correct ones (fast build)
};

// A race may surface as a read of a word that nobody has written yet, if the reader comes first: both name
// the two lines' barrier.
const std::string kRace = "shared race";
const std::string kUnwritten = "uninitialised shared read";

const Case kCases[] = {
    {"missing barrier", Defect::missing_barrier, "", kUnwritten, "", true},
    {"buffer used again too early", Defect::buffer_reused, "", kRace, "", true},
    {"exchange in a warp without __syncwarp", Defect::warp_exchange, "", kUnwritten, "", false},
    {"plain read beside atomics", Defect::atomic_and_plain, "", kRace, "", true},
    {"overrun of a static array", Defect::static_overrun, "", "", "index 128 out of bounds", false},
    {"overrun of a static array through a pointer", Defect::pointer_overrun, "", "", "global-buffer-overflow",
     false},
    {"overrun of an inner dimension", Defect::inner_overrun, "", "", "index 8 out of bounds", false},
    {"overrun of dynamic shared memory", Defect::dynamic_overrun, "", "shared out of bounds",
     "use-after-poison", false},
    {"overrun of a device buffer", Defect::global_overrun, "", "global out of bounds", "use-after-poison",
     false},
    {"underrun of a device buffer", Defect::global_underrun, "", "global out of bounds", "use-after-poison",
     false},
    {"divergent barrier", Defect::divergent_barrier, "barrier divergence", "", "", false},
    {"different kinds of barrier", Defect::divergent_kind, "barrier divergence", "", "", false},
    {"early exit", Defect::early_exit, "barrier divergence", "", "", false},
    {"full mask in half a warp", Defect::half_warp_shuffle, "warp mask", "", "", false},
    {"lane outside its own mask", Defect::lane_not_in_mask, "warp mask", "", "", false},
    {"two operations in one warp", Defect::mixed_operations, "warp divergence", "", "", false},
    {"shuffle from an absent lane", Defect::shuffle_inactive, "warp shuffle", "", "", false},
    {"two blocks write one element", Defect::blocks_write_one, "", "inter-block race", "", true},
    {"a block reads another's result", Defect::block_reads_block, "", "inter-block race", "", false},
    {"uninitialised shared read", Defect::uninitialised_shared, "", kUnwritten, "", false},
    {"uninitialised dynamic read", Defect::uninitialised_dynamic, "", kUnwritten, "", true},
    {"uninitialised global read", Defect::uninitialised_global, "", "uninitialised global read", "", true},
    {"asynchronous copy: wait forgotten", Defect::async_no_wait, "", kUnwritten, "", true},
    {"asynchronous copy: barrier forgotten", Defect::async_no_barrier, "", kUnwritten, "", true},
    {"asynchronous copy: buffer used again too early", Defect::async_reused, "", kRace, "", true},
    {"asynchronous copy: left over at the end", Defect::async_left_over, "cp.async", "", "", false},
    {"asynchronous copy: not to shared memory", Defect::async_to_global, "cp.async", "", "", false},
    {"misaligned vector", Defect::misaligned_vector, "", "", "misaligned address", false},
    {"write to a constant", Defect::write_to_constant, "", "write to a constant", "SEGV", false},
    {"a local of another thread", Defect::foreign_local, "", "wild access", "", false},
    {"named barrier: two thread counts", Defect::named_wrong_count, "named barrier", "", "", false},
    {"named barrier: not whole warps", Defect::named_not_whole_warps, "named barrier", "", "", false},
    {"named barrier: number 16", Defect::named_id, "named barrier", "", "", false},
    {"named barrier: arrivals left over", Defect::named_left_over, "named barrier", "", "", false},
    {"named barrier: waits for ever", Defect::named_deadlock, "barrier divergence", "", "", false},
    {"named barrier: read before it", Defect::named_early_read, "", kRace, "", true},
    {"named barrier: released too early", Defect::named_early_release, "", kRace, "", false},
};

std::vector<float> count_from(float first) {
  std::vector<float> v(256);
  for (size_t i = 0; i < v.size(); ++i) v[i] = first + static_cast<float>(i);
  return v;
}

std::vector<uint32_t> run(const Case& c, int bug, float first = 0.0f) {
  const simt::Buffer<float> in(count_from(first)), out(256);
  // Not inside CHECK, which would swallow the Error.
  const int status = emu::run_planted(c.which, bug, in.data, out.data);
  CHECK(status == 0);
  std::vector<uint32_t> bits(256);
  std::memcpy(bits.data(), out.data, 1024);
  return bits;
}

// A read that comes first finds nothing written, one that comes second races: which of the two depends on the
// schedule.
bool names(const std::vector<simt::Report>& reports, const std::string& kind) {
  return std::any_of(reports.begin(), reports.end(), [&](const simt::Report& r) {
    return r.kind == kind || (kind == kRace && r.kind == kUnwritten) ||
           (kind == kUnwritten && r.kind == kRace);
  });
}

void expect_report(const Case& c, const std::string& kind) {
  for (const simt::Options& o : schedules()) {
    const simt::ScopedOptions scope(o);
    CAPTURE(static_cast<int>(o.order));
    const auto reports = reports_of([&] { run(c, 1); });
    CHECK_MESSAGE(names(reports, kind), c.name, ": expected '", kind, "', first report: '",
                  reports.empty() ? "none" : reports[0].kind + " " + reports[0].text, "'");
  }
}

}  // namespace

TEST_CASE("the correct twins are silent and agree in every schedule") {
  for (const Case& c : kCases) {
    CAPTURE(c.name);
    const auto expected = run(c, 0);
    for (const simt::Options& o : schedules()) {
      const simt::ScopedOptions scope(o);
      CHECK(run(c, 0) == expected);
    }
  }
}

TEST_CASE("mistakes that every build reports") {
  for (const Case& c : kCases)
    if (!c.everywhere.empty()) expect_report(c, c.everywhere);
}

#if defined(SIMT_MODE_CHECKED)

TEST_CASE("mistakes that the checker reports") {
  for (const Case& c : kCases)
    if (!c.checked.empty()) expect_report(c, c.checked);
}

TEST_CASE("a race report names both source lines") {
  for (const char* name : {"buffer used again too early", "two blocks write one element"}) {
    const Case& c =
        *std::find_if(std::begin(kCases), std::end(kCases), [&](const Case& x) { return x.name == name; });
    const auto reports = reports_of([&] { run(c, 1); });
    REQUIRE(!reports.empty());
    const std::string& text = reports[0].text;
    const auto first = text.find("planted.cu:");
    REQUIRE_MESSAGE(first != std::string::npos, text);
    CHECK_MESSAGE(text.find("planted.cu:", first + 1) != std::string::npos, text);
  }
}

TEST_CASE("the comparison between blocks can be switched off") {
  const simt::ScopedOptions scope({.check_between_blocks = false});
  const Case c{"", Defect::blocks_write_one, "", "", "", false};
  CHECK(reports_of([&] { run(c, 1); }).empty());
}

#elif defined(SIMT_MODE_ASAN)

static void run_quietly(void* p) {
  const Case& c = *static_cast<const Case*>(p);
  const simt::Buffer<float> in(count_from(0.0f)), out(256);
  emu::run_planted(c.which, 1, in.data, out.data);
}

TEST_CASE("mistakes that end the program under AddressSanitizer or UndefinedBehaviorSanitizer") {
  for (const Case& c : kCases) {
    if (c.asan.empty()) continue;
    const ChildResult r = run_in_child(run_quietly, const_cast<Case*>(&c));
    CHECK_MESSAGE(r.died, c.name);
    CHECK_MESSAGE(r.output.find(c.asan) != std::string::npos, c.name, ": ", r.output);
  }
}

#else

TEST_CASE("mistakes that show in the values of some schedule") {
  for (const Case& c : kCases) {
    if (!c.wrong_values) continue;
    const auto expected = run(c, 0);
    run(c, 0, 1000.0f);  // shared memory keeps what the last launch left there: let it be something else
    bool differs = false;
    for (const simt::Options& o : schedules()) {
      const simt::ScopedOptions scope(o);
      differs |= run(c, 1) != expected;
    }
    CHECK_MESSAGE(differs, c.name);
  }
}

#endif
