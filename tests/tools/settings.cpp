#include "tools/settings.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "tools/config_file.h"
#include "tools/exit_codes.h"
#include "tools/training.h"

using namespace shoal;

namespace {

std::string message(auto&& act) {
  try {
    act();
  } catch (const UsageError& e) { return e.what(); }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("every default is a value of its own setting") {
  const Schema schema = training_schema();
  Settings settings(schema);
  for (const Setting& row : schema) {
    CAPTURE(row.key);
    CHECK_NOTHROW(settings.set(row.key, settings.text(row.key), Origin::flag));
    CHECK_FALSE(row.help.empty());
    CHECK_FALSE(row.group.empty());
    CHECK_FALSE(row.metavar.empty());
  }
}

TEST_CASE("keys and variables are told apart") {
  const Schema schema = training_schema();
  for (std::size_t i = 0; i < schema.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      CHECK(schema[i].key != schema[j].key);
      CHECK(environment_name(schema[i]) != environment_name(schema[j]));
    }
}

TEST_CASE("an unknown key names the nearest one") {
  Settings settings(training_schema());
  CHECK(message([&] { settings.set("hiden", "4", Origin::flag); }) ==
        "there is no setting 'hiden'; did you mean 'hidden'?");
  CHECK(message([&] { settings.set("qqqqqqq", "4", Origin::flag); }) == "there is no setting 'qqqqqqq'");
  CHECK(message([&] { set_assignment(settings, "epoch=3"); }) ==
        "there is no setting 'epoch'; did you mean 'epochs'?");
  CHECK_THROWS_AS(set_assignment(settings, "epochs"), UsageError);
  CHECK_THROWS_AS(set_assignment(settings, "=3"), UsageError);
}

TEST_CASE("a wrong value names its place and the nearest choice") {
  Settings settings(training_schema());
  const auto set = [&](const char* key, const char* text) {
    return message([&] { settings.set(key, text, Origin::flag); });
  };
  CHECK(set("optimizer", "adma") ==
        "--optimizer: 'adma' is none of sgd, momentum, nesterov, adam, adamw, adamax, amsgrad; did you mean "
        "'adam'?");
  CHECK(set("epochs", "-1") == "--epochs: -1 is too small, it must be at least 0");
  CHECK(set("epochs", "many") == "--epochs: 'many' is not a whole number");
  CHECK(set("epochs", "1,2") == "--epochs: '1,2' is a list, and a run has one epochs");
  CHECK(set("lr", "1e-3,fast") == "--lr: 'fast' is not a number");
  CHECK(set("lr", "nan") == "--lr: 'nan' is not a number");
  CHECK(set("lr", "-0.1") == "--lr: -0.1 is too small, it must be at least 0");
  CHECK(set("difficulty", "4") == "--difficulty: 4 is too large, it may be at most 3");
  CHECK(set("hidden", "") == "--hidden: a value is missing");
  CHECK(settings.text("epochs") == "5");  // what was refused has changed nothing
}

TEST_CASE("defaults < file < environment < flags") {
  Settings settings(training_schema());
  CHECK(settings.integer("epochs") == 5);
  CHECK(settings.origin("epochs") == Origin::fallback);
  set_from_toml(settings, "epochs = 6\nlr = 0.5\nbatch = 32\n", "a.toml");
  CHECK(settings.integer("epochs") == 6);
  CHECK(settings.origin("epochs") == Origin::file);
  const auto unknown = set_from_environment(settings, {{"SHOAL_EPOCHS", "7"},
                                                       {"SHOAL_LR", "0.25"},
                                                       {"HOME", "/"},
                                                       {"SHOAL_DATA", "/x"},
                                                       {"SHOAL_EPOCH", "1"}});
  CHECK(unknown == std::vector<std::string>{"SHOAL_EPOCH"});
  CHECK(settings.integer("epochs") == 7);
  settings.set("epochs", "8", Origin::flag);
  CHECK(settings.integer("epochs") == 8);
  CHECK(settings.reals("lr") == std::vector<double>{0.25});
  CHECK(settings.integers("batch") == std::vector<std::int64_t>{32});
  CHECK(settings.text("data") == "mnist");  // SHOAL_DATA is the folder of data, not their name
  CHECK(message([&] {
          set_from_environment(settings, {{"SHOAL_BATCH", "x"}});
        }) == "SHOAL_BATCH: 'x' is not a whole number");
}

TEST_CASE("TOML takes numbers, texts and arrays of them") {
  Settings settings(training_schema());
  set_from_toml(settings,
                "hidden = [16, \"100x50\", '4..8']\nlr = [1e-3, 1, 0.25]\ndata = 'digits'\nseeds = [5]\n"
                "optimizer = ['sgd', 'adam']\nweight-decay = 'auto'",
                "a.toml");
  CHECK(settings.layers("hidden") == std::vector<std::vector<int>>{{16}, {100, 50}, {4}, {8}});
  CHECK(settings.reals("lr") == std::vector<double>{1e-3, 1.0, 0.25});
  CHECK(settings.text("data") == "digits");
  CHECK(settings.text("seeds") == "5,");  // a list of one, not a count
  CHECK(settings.texts("optimizer") == std::vector<std::string>{"sgd", "adam"});
}

TEST_CASE("TOML that is wrong says where") {
  Settings settings(training_schema());
  const auto read = [&](const char* text) {
    return message([&] { set_from_toml(settings, text, "a.toml"); });
  };
  CHECK(read("epochs = ").starts_with("a.toml is not TOML: line 1:"));
  CHECK(read("hiden = 4") == "a.toml: there is no setting 'hiden'; did you mean 'hidden'?");
  CHECK(read("epochs = 'x'") == "a.toml: epochs: 'x' is not a whole number");
  CHECK(read("epochs = true") == "a.toml: epochs: a number, a text or an array of these was expected");
  CHECK(read("[train]\nepochs = 3") == "a.toml: '[train]' is a table, and settings stand without one");
  CHECK(read("lr = []") == "a.toml: lr: the array is empty");
  CHECK(message([&] { set_from_file(settings, "/nowhere/a.toml"); }) ==
        "the configuration file /nowhere/a.toml cannot be read");
}

TEST_CASE("the resolved configuration reads back as the same settings") {
  Settings settings(training_schema());
  settings.set("hidden", "4..32,100x50", Origin::flag);
  settings.set("lr", "1e-4..1e-1", Origin::flag);
  settings.set("seeds", "1,5,9", Origin::flag);
  settings.set("data", "a \"b\\c\"\n\x01ü.csv", Origin::flag);
  settings.set("weight-decay", "0.1", Origin::flag);
  settings.set("optimizer", "adamw", Origin::flag);
  const std::string toml = to_toml(settings);
  CHECK(toml.find("hidden = [4, 8, 16, 32, \"100x50\"]\n") != std::string::npos);
  CHECK(toml.find("lr = [1e-04, 0.001, 0.01, 0.1]\n") != std::string::npos);
  Settings again(training_schema());
  set_from_toml(again, toml, "config.toml");
  CHECK(again.layers("hidden") == settings.layers("hidden"));
  CHECK(again.reals("lr") == settings.reals("lr"));
  CHECK(again.integers("seeds") == settings.integers("seeds"));
  CHECK(again.text("data") == settings.text("data"));
  CHECK(to_toml(again) == toml);
}

TEST_CASE("a list of one seed stays a list, and a count a count") {
  for (const char* seeds : {"5,", "5", "3..3", "1..4"}) {
    Settings settings(training_schema());
    settings.set("seeds", seeds, Origin::flag);
    Settings again(training_schema());
    set_from_toml(again, to_toml(settings), "config.toml");
    CAPTURE(seeds);
    const auto list = [](const Settings& s) { return s.text("seeds").find(',') != std::string::npos; };
    CHECK(list(again) == (std::string(seeds) != "5"));
    CHECK(again.integers("seeds") == settings.integers("seeds"));
  }
}

TEST_CASE("a study changes defaults and adds rows") {
  Schema schema = training_schema();
  set_default(schema, "hidden", "4..8");
  CHECK_THROWS_AS(set_default(schema, "hiden", "4"), std::logic_error);
  schema.push_back({.key = "bins",
                    .type = SettingType::integer,
                    .fallback = "40",
                    .group = "Study",
                    .metavar = "N",
                    .help = "of histograms"});
  Settings settings(schema);
  CHECK(settings.layers("hidden").size() == 2);
  CHECK(settings.integer("bins") == 40);
}
