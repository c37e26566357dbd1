// Which columns and arrays a command line means.
#include "tools/column_choice.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tools/exit_codes.h"

namespace {

using namespace shoal;
using Names = std::vector<std::string>;
using Places = std::vector<std::size_t>;

const Names kNames{"id", "test_loss", "x, in cm", "3", "twin", "twin"};

Places chosen(const Names& wanted, const Names& names = kNames) {
  return choose_columns(wanted, names, "a.csv");
}

std::string complaint(const Names& wanted, const Names& names = kNames) {
  try {
    chosen(wanted, names);
  } catch (const UsageError& e) { return e.what(); }
  return "no complaint";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_CASE("columns are named, numbered from 0, or in a range, in the order asked for") {
  CHECK(chosen({}) == Places{0, 1, 2, 3, 4, 5});
  CHECK(chosen({"test_loss"}) == Places{1});
  CHECK(chosen({"test_loss,id"}) == Places{1, 0});
  CHECK(chosen({"2", "id"}) == Places{2, 0});
  CHECK(chosen({"0..2,5"}) == Places{0, 1, 2, 5});
  CHECK(chosen({"id,id"}) == Places{0, 0});
}

TEST_CASE("a name goes before a number and before a list") {
  CHECK(chosen({"3"}) == Places{3});
  CHECK(chosen({"3"}, {"a", "3", "b", "c"}) == Places{1});
  CHECK(chosen({"x, in cm"}) == Places{2});
  CHECK(chosen({"x, in cm", "1"}) == Places{2, 1});
}

TEST_CASE("what is not there is an error with the nearest choice") {
  CHECK(complaint({"test_los"}) ==
        "--column: a.csv has no column 'test_los'; did you mean 'test_loss'? It has id, test_loss, x, in cm, "
        "3, "
        "twin, twin");
  CHECK(has(complaint({"6"}), "a.csv has 6 columns, numbered from 0; there is no 6"));
  CHECK(has(complaint({"4..9"}), "there is no 6"));
  CHECK(has(complaint({"1.5"}), "--column"));
  CHECK(has(complaint({"-1"}), "has no column '-1'"));
  CHECK(has(complaint({"twin"}), "2 columns are called 'twin': choose by number, one of 4, 5"));
  CHECK(has(complaint({"id,,3"}), "empty"));
  CHECK(has(complaint({"x"}, Names(30, "y")), "y and 20 more"));
  CHECK(has(complaint({"99999999999999999999"}), "--column"));
}

TEST_CASE("the only array is taken, and one of several is named") {
  const Names one{"x"}, several{"acts", "loss", "labels"};
  const auto says = [](std::string_view wanted, const Names& arrays) -> std::string {
    try {
      return choose_array(wanted, arrays, "a.npz");
    } catch (const UsageError& e) { return e.what(); }
  };
  CHECK(says("", one) == "x");
  CHECK(says("x", one) == "x");
  CHECK(says("loss", several) == "loss");
  CHECK(says("", several) ==
        "a.npz holds 3 arrays: choose one with --array NAME; there are acts, loss, labels");
  CHECK(says("los", several) ==
        "--array: a.npz holds no array 'los'; did you mean 'loss'? It holds acts, loss, labels");
  CHECK(says("gradients", several) ==
        "--array: a.npz holds no array 'gradients'; it holds acts, loss, labels");
}

}  // namespace
