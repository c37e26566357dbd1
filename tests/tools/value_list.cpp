#include "tools/value_list.h"

#include <doctest/doctest.h>

#include "tools/exit_codes.h"

using namespace shoal;
using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Models = std::vector<std::vector<int>>;

TEST_CASE("numbers are one number and nothing else") {
  CHECK(parse_integer("64") == 64);
  CHECK(parse_integer(" -3 ") == -3);
  CHECK(parse_integer("+7") == 7);
  CHECK(parse_integer("60_000") == 60000);
  CHECK(parse_integer("1e6") == 1000000);
  CHECK(parse_integer("9007199254740993") == 9007199254740993);  // not by way of a double
  CHECK(parse_real("1e-3") == 1e-3);
  CHECK(parse_real("-.5") == -0.5);
  for (const char* wrong : {"", "x", "1.5", "1e-3", "3x", "_1", "1_", "1__0", "--1", "0x10", "1e400", "nan"})
    CHECK_THROWS_AS(parse_integer(wrong), UsageError);
  for (const char* wrong : {"", "x", "1,5", "inf", "nan", "1e400", "1.0f", "+-1"})
    CHECK_THROWS_AS(parse_real(wrong), UsageError);
}

TEST_CASE("lists keep their order, and a comma at the end") {
  CHECK(split_list("a, b ,c") == std::vector<std::string>{"a", "b", "c"});
  CHECK(split_list("5,") == std::vector<std::string>{"5"});
  for (const char* wrong : {"", ",", "1,,2", ",1", " "}) CHECK_THROWS_AS(split_list(wrong), UsageError);
  CHECK(parse_integers("3,1,2", RangeStep::none) == Integers{3, 1, 2});
}

TEST_CASE("a range runs by its setting's own step and holds its end only when it is hit") {
  CHECK(parse_integers("4..64", RangeStep::doubling) == Integers{4, 8, 16, 32, 64});
  CHECK(parse_integers("4..63", RangeStep::doubling) == Integers{4, 8, 16, 32});
  CHECK(parse_integers("3..20", RangeStep::doubling) == Integers{3, 6, 12});
  CHECK(parse_integers("7..7", RangeStep::doubling) == Integers{7});
  CHECK(parse_integers("1..5", RangeStep::by_one) == Integers{1, 2, 3, 4, 5});
  CHECK(parse_integers("0..2,9", RangeStep::by_one) == Integers{0, 1, 2, 9});
  // The very doubles that a person writes, not products that miss them by a rounding.
  CHECK(parse_reals("1e-4..1e-1", RangeStep::tenfold) == Reals{1e-4, 1e-3, 1e-2, 1e-1});
  CHECK(parse_reals("3e-4..1", RangeStep::tenfold) == Reals{3e-4, 3e-3, 3e-2, 3e-1});
}

TEST_CASE("a range with a count has equal ratios, both ends and no double values") {
  CHECK(parse_integers("4..64:5", RangeStep::doubling) == Integers{4, 8, 16, 32, 64});
  CHECK(parse_integers("1..4:9", RangeStep::doubling) == Integers{1, 2, 3, 4});
  CHECK(parse_reals("0.01..1:3", RangeStep::tenfold) == Reals{0.01, 0.1, 1.0});
  const auto widths = parse_integers("11..11585:21", RangeStep::doubling);
  CHECK(widths.size() == 21);
  CHECK(widths.front() == 11);
  CHECK(widths.back() == 11585);
}

TEST_CASE("a range with a step adds it") {
  CHECK(parse_integers("10..50:+10", RangeStep::doubling) == Integers{10, 20, 30, 40, 50});
  CHECK(parse_integers("10..45:+10", RangeStep::doubling) == Integers{10, 20, 30, 40});
  CHECK(parse_reals("0.5..0.9:+0.1", RangeStep::tenfold) == Reals{0.5, 0.6, 0.7, 0.8, 0.9});
  CHECK(parse_reals("0..0.3:+0.1", RangeStep::tenfold) == Reals{0.0, 0.1, 0.2, 0.3});
}

TEST_CASE("ranges that make no sense are refused in words") {
  for (const char* wrong : {"4..", "..4", "8..4", "0..8", "-4..8", "4..8:", "4..8:1", "4..8:0", "4..8:+0",
                            "4..8:+-1", "0..8:3", "4..8:x", "4..8:+x", "1..1e9:+1", "1..9:1e9", "1..2..3"})
    CHECK_THROWS_AS(parse_integers(wrong, RangeStep::doubling), UsageError);
  CHECK_THROWS_WITH_AS(parse_integers("8..4", RangeStep::doubling), "the range '8..4' goes down: write 4..8",
                       UsageError);
  CHECK_THROWS_AS(parse_reals("1..2", RangeStep::none), UsageError);
}

TEST_CASE("layers of a model are joined by x, models by commas") {
  CHECK(parse_layers("64") == Models{{64}});
  CHECK(parse_layers("16,64,100x50") == Models{{16}, {64}, {100, 50}});
  CHECK(parse_layers("4..16,8x8x8") == Models{{4}, {8}, {16}, {8, 8, 8}});
  CHECK(parse_layers("-5") == Models{{-5}});  // validate() refuses it with the reason
  for (const char* wrong : {"", "x", "100x", "x50", "100xx50", "4..8x2", "a", "1e10", "2.5"})
    CHECK_THROWS_AS(parse_layers(wrong), UsageError);
}

TEST_CASE("memory has units") {
  CHECK(parse_bytes("0") == 0);
  CHECK(parse_bytes("2000000000") == 2000000000);
  CHECK(parse_bytes("500MiB") == 500ull << 20);
  CHECK(parse_bytes("1.5 GiB") == 3ull << 29);
  CHECK(parse_bytes("2GB") == 2000000000);
  for (const char* wrong : {"", "-1", "GiB", "2 bananas", "1e30"})
    CHECK_THROWS_AS(parse_bytes(wrong), UsageError);
}

TEST_CASE("numbers are written shortest, and read back the same") {
  CHECK(to_text(0.001) == "0.001");
  CHECK(to_text(1e-8) == "1e-08");
  CHECK(to_text(64.0) == "64");
  CHECK(to_text(std::vector<int>{100, 50}) == "100x50");
  for (const double value : {0.1, 1.0 / 3.0, 6.02e23, 5e-324}) CHECK(parse_real(to_text(value)) == value);
}
