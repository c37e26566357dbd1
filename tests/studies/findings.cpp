// Rows of studies as tables, and the settings that studies refuse.
#include "tools/studies/findings.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tools/exit_codes.h"
#include "tools/studies/at_width.h"
#include "tools/studies/columns.h"
#include "tools/studies/versions.h"

namespace shoal::test {

TEST_CASE("findings: a header, a line a record, and nothing where there is no number") {
  CHECK(csv_of({}).empty());
  const std::vector<Record> records{
      {{"kind", "plain"}, {"width", 1448}, {"models", std::int64_t{1} << 53}, {"accuracy", 0.1}},
      {{"kind", std::string("gated")}, {"width", std::size_t{2}}, {"models", 0}, {"accuracy", NAN}}};
  CHECK(csv_of(records) == "kind,width,models,accuracy\nplain,1448,9007199254740992,0.1\ngated,2,0,\n");
  CHECK(csv_of({records.data() + 1, 1}) == "kind,width,models,accuracy\ngated,2,0,\n");
}

TEST_CASE("versions: what a comparison does not compare takes one value") {
  Schema schema = training_schema();
  schema.push_back({.key = "starts",
                    .type = SettingType::real,
                    .fallback = "0,1",
                    .group = kStudyGroup,
                    .metavar = "X",
                    .help = "",
                    .list = true});
  const Comparison comparison{"study x compares things", {"seeds"}};
  const auto with = [&](std::string_view key, std::string_view value) {
    Settings settings(schema);
    settings.set(key, value, Origin::flag);
    return settings;
  };
  CHECK_NOTHROW(refuse_other_lists(Settings(schema), comparison));
  CHECK_NOTHROW(refuse_other_lists(with("seeds", "4"), comparison));
  CHECK_NOTHROW(refuse_other_lists(with("starts", "1,2,3"), comparison));
  CHECK_THROWS_WITH_AS(refuse_other_lists(with("lr", "0.1,0.2"), comparison),
                       "study x compares things: --lr takes one value here, not 0.1,0.2", UsageError);
  CHECK_THROWS_AS(refuse_other_lists(with("hidden", "8,16"), comparison), UsageError);
  CHECK_THROWS_AS(refuse_other_lists(with("seeds", "4"), {"study x", {}}), UsageError);
  CHECK_THROWS_WITH_AS(refuse_own(with("beta2", "0.9"), comparison, {"beta2"}),
                       "study x compares things: it sets --beta2 itself, leave it out", UsageError);
  CHECK_NOTHROW(refuse_own(with("lr", "0.1"), comparison, {"beta2"}));
  CHECK_THROWS_AS(refuse_deep(with("hidden", "8x8"), "study x"), UsageError);
  CHECK_NOTHROW(refuse_deep(with("hidden", "8,16"), "study x"));
}

TEST_CASE("columns: a summary of each place over the models that have it") {
  Columns columns;
  CHECK(columns.summaries().empty());
  columns.add(std::vector<double>{1, 2, 3});
  columns.add(std::vector<float>{3});
  const std::vector<Summary> found = columns.summaries();
  REQUIRE(found.size() == 3);
  CHECK(found[0].count == 2);
  CHECK(found[0].mean == 2.0);
  CHECK(found[2].count == 1);
  CHECK(found[2].mean == 3.0);
}

TEST_CASE("at_width: linear in the logarithm of the width, nothing outside") {
  const std::map<double, double> widths{{8, 0.5}, {32, 0.9}};
  CHECK(at_width(widths, 8) == 0.5);
  CHECK(at_width(widths, 32) == 0.9);
  CHECK(at_width(widths, 16) == doctest::Approx(0.7));
  for (const double size : {7.9, 32.1, 0.0, -1.0, static_cast<double>(NAN)})
    CHECK(std::isnan(at_width(widths, size)));
  CHECK(std::isnan(at_width({}, 8)));
}

}  // namespace shoal::test
