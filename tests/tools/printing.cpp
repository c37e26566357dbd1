// Tables, numbers for people, progress, JSON.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/exit_codes.h"
#include "tools/find_model.h"
#include "tools/help.h"
#include "tools/progress.h"
#include "tools/report.h"
#include "tools/results.h"
#include "tools/summary.h"
#include "tools/table.h"

using namespace shoal;

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}

TEST_CASE("a table puts numbers to the right and words to the left") {
  Table table({"width", "name"});
  table.add({"8", "a"});
  table.add({"1024", ""});
  table.add({"16", "größe"});
  CHECK(table.text() ==
        "width  name\n"
        "-----  -----\n"
        "    8  a\n"
        " 1024  -\n"
        "   16  größe\n");
  CHECK(table.text(true).starts_with("\033[1mwidth  name\033[0m\n    8  a\n"));
  CHECK_THROWS_AS(table.add({"one"}), std::logic_error);
}

TEST_CASE("numbers for people") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(-1234567) == "-1,234,567");
  CHECK(with_unit(0) == "0");
  CHECK(with_unit(912) == "912");
  CHECK(with_unit(1.69e6) == "1.69 M");
  CHECK(with_unit(16.94e6) == "16.9 M");
  CHECK(with_unit(999999) == "1.00 M");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(clock_text(7) == "0:07");
  CHECK(clock_text(751) == "12:31");
  CHECK(clock_text(10927) == "3:02:07");
  CHECK(clock_text(kNan) == "?");
  CHECK(cell(0.12345, 4) == "0.1235");
  CHECK(cell(1e-9, 4) == "1.00e-09");
  CHECK(cell(0.0, 4) == "0.0000");
  CHECK(cell(kNan, 4) == "-");
  CHECK(percent(0.97841) == "97.84");
}

TEST_CASE("quartiles interpolate and leave out what is not finite") {
  const std::vector<double> values{4, 1, kNan, 3, 2, std::numeric_limits<double>::infinity()};
  const FiveNumbers f = five_numbers(values);
  CHECK(f.count == 4);
  CHECK(f.min == 1);
  CHECK(f.q1 == 1.75);
  CHECK(f.median == 2.5);
  CHECK(f.q3 == 3.25);
  CHECK(f.max == 4);
  CHECK(five_numbers({}).count == 0);
  CHECK(std::isnan(five_numbers({}).median));
}

TEST_CASE("JSON has null where there is no number") {
  EpochReport report;
  const std::vector<std::int64_t> models{0, 1};
  const std::vector<double> losses{0.5, kNan}, unknown{kNan, kNan};
  report.models = models;
  report.train_loss = losses;
  report.train_accuracy = report.test_loss = report.test_accuracy = unknown;
  const auto fields = epoch_fields(report);
  CHECK(fields["diverged"] == 1);
  CHECK(fields["train_loss"]["median"] == 0.5);
  CHECK(nlohmann::json::parse(fields.dump())["test_loss"]["min"].is_null());
}

TEST_CASE("a line of progress says what a person waits for") {
  Progress p;
  p.models = 96, p.diverged = 2, p.epoch = 2, p.epochs = 5, p.done = 0.5, p.seconds = 12,
  p.model_samples = 12e6;
  CHECK(progress_text(p) ==
        "96 models  epoch 3/5  50 %  1.00 M model-samples/s  0:12 elapsed  0:12 left  2 diverged");
  // A run that went on from 40 % has done a tenth in 12 seconds.
  CHECK(progress_text(p, 0.4).find("1:00 left") != std::string::npos);
  p.done = 0.0, p.seconds = 0.0;
  CHECK(progress_text(p).find("? left") != std::string::npos);
}

TEST_CASE("without a terminal a line is due every tenth or every half minute") {
  ProgressClock clock;
  CHECK_FALSE(clock.due(0.0, 0.1));
  CHECK_FALSE(clock.due(0.09, 1.0));
  CHECK(clock.due(0.1, 2.0));
  CHECK_FALSE(clock.due(0.15, 3.0));
  CHECK(clock.due(0.45, 4.0));
  CHECK_FALSE(clock.due(0.49, 33.0));
  CHECK(clock.due(0.49, 34.0));
  CHECK_FALSE(clock.due(0.49, 63.0));
  CHECK(clock.due(1.0, 64.0));
  CHECK_FALSE(clock.due(1.0, 65.0));
}

TEST_CASE("help is broken at blanks") {
  CHECK(wrapped("one two three", 7, 2) == "one two\n  three");
  CHECK(wrapped("longerthanthat x", 5, 0) == "longerthanthat\nx");
  CHECK(wrapped("", 5, 0).empty());
}

TEST_CASE("a model is found by id, by the beginning of its id, or by index") {
  const std::vector<std::string> ids{"3fa29c0de4b51c77", "3fb0000000000000", "1234567890123456", "0"};
  CHECK(find_model("3fa29c0de4b51c77", ids) == ids[0]);
  CHECK(find_model("3fb", ids) == ids[1]);
  CHECK(find_model("1", ids) == ids[1]);
  CHECK(find_model("123456", ids) == ids[2]);
  CHECK(find_model("0", ids) == ids[3]);  // an id that is there goes before an index
  for (const char* wrong : {"3f", "4", "-1", "zz", ""}) CHECK_THROWS_AS(find_model(wrong, ids), UsageError);
}
