#include "tools/population_spec.h"

#include <doctest/doctest.h>

#include <set>

#include "kernels/machine.h"
#include "tests/tools/settings_of.h"
#include "tools/exit_codes.h"

using namespace shoal;

using test::with;

TEST_CASE("all lists form a product, widths slowest and seeds fastest") {
  const Product p = models_of(with({{"hidden", "4,8x2"}, {"lr", "0.1,0.2"}, {"seeds", "3"}, {"seed", "7"}}));
  CHECK(p.combinations == 12);
  REQUIRE(p.models.size() == 12);
  CHECK(p.models[0].hidden == std::vector<int>{4});
  CHECK(p.models[0].seed == 7);
  CHECK(p.models[1].seed == 8);
  CHECK(p.models[2].seed == 9);
  CHECK(p.models[3].optimizer.lr == 0.2);
  CHECK(p.models[6].hidden == std::vector<int>{8, 2});
  std::set<ModelId> ids;
  for (const ModelSpec& model : p.models) ids.insert(model_id(model, {784, 10}));
  CHECK(ids.size() == 12);
}

TEST_CASE("what an optimizer does not read makes no second model") {
  CHECK(models_of(with({{"optimizer", "sgd,momentum"}, {"momentum", "0.5,0.9"}})).models.size() == 3);
  CHECK(models_of(with({{"optimizer", "sgd,adam"}, {"beta2", "0.9,0.99,0.999"}})).models.size() == 4);
  CHECK(models_of(with({{"hidden", "8,8"}, {"seeds", "1,1,2"}})).models.size() == 2);
  const Product p = models_of(with({{"optimizer", "sgd,adam"}, {"beta1", "0.5"}}));
  CHECK(p.models[0].optimizer.beta1 == OptimizerSpec{}.beta1);
  CHECK(p.models[1].optimizer.beta1 == 0.5);
}

TEST_CASE("adamw is adam with decoupled decay") {
  const auto decays = [](const Settings& s) {
    std::vector<double> values;
    for (const ModelSpec& model : models_of(s).models) values.push_back(model.optimizer.weight_decay);
    return values;
  };
  CHECK(decays(with({{"optimizer", "adam,adamw,sgd"}})) == std::vector<double>{0.0, 0.01, 0.0});
  CHECK(decays(with({{"optimizer", "adamw"}, {"weight-decay", "0.1"}})) == std::vector<double>{0.1});
  CHECK(decays(with({{"optimizer", "sgd"}, {"weight-decay", "0.1"}})) == std::vector<double>{0.1});
  const ModelSpec model = models_of(with({{"optimizer", "adamw"}})).models[0];
  CHECK(model.optimizer.rule == UpdateRule::adam);
  CHECK(optimizer_name(model.optimizer) == "adamw");
  CHECK(optimizer_name(OptimizerSpec{}) == "adam");
}

TEST_CASE("seeds are a count from the first on, or a list") {
  using Seeds = std::vector<std::uint64_t>;
  CHECK(seeds_of(with({{"seeds", "3"}})) == Seeds{1, 2, 3});
  CHECK(seeds_of(with({{"seed", "10"}, {"seeds", "2"}})) == Seeds{10, 11});
  CHECK(seeds_of(with({{"seed", "10"}})) == Seeds{10});
  CHECK(seeds_of(with({{"seeds", "1,5,9"}})) == Seeds{1, 5, 9});
  CHECK(seeds_of(with({{"seeds", "5,"}})) == Seeds{5});
  CHECK(seeds_of(with({{"seeds", "2..4"}})) == Seeds{2, 3, 4});
  CHECK_THROWS_AS(seeds_of(with({{"seeds", "0"}})), UsageError);
  CHECK_THROWS_AS(seeds_of(with({{"seeds", "1e9"}})), UsageError);
  CHECK_THROWS_AS(seeds_of(with({{"seeds", "1,2"}, {"seed", "3"}})), UsageError);
}

TEST_CASE("models that cannot be are refused before any data are read") {
  for (const char* hidden : {"0", "-3", "1000000000", "2x2x2x2x2", "8,0"}) {
    CAPTURE(hidden);
    CHECK_THROWS_AS(models_of(with({{"hidden", hidden}})), SpecError);
  }
  CHECK_THROWS_AS(models_of(with({{"batch", "100000000"}})), SpecError);
  CHECK_THROWS_AS(models_of(with({{"batch", "1e12"}})), UsageError);
  CHECK_THROWS_AS(models_of(with({{"beta1", "1"}})), SpecError);
  CHECK_THROWS_AS(models_of(with({{"seeds", "100000"}, {"hidden", "1..1000:+1"}})), UsageError);
}

TEST_CASE("a batch larger than the training data is refused in words") {
  Dataset data;
  data.name = "tiny";
  data.features = 2, data.classes = 2;
  data.train.count = 100;
  const RunSpec spec = run_spec_of(with({{"batch", "100,101"}, {"device", "cpu"}}));
  CHECK_THROWS_WITH_AS(check_against_data(spec, data),
                       "--batch: 101 is more than the 100 training samples of tiny", SpecError);
  data.train.count = 101;
  CHECK_NOTHROW(check_against_data(spec, data));
}

TEST_CASE("inputs are normalized as the formula says") {
  Split bytes{.count = 2, .features = 2, .bytes = {0, 255, 51, 102}};
  // On the scale 0..1: 0, 1, 0.2, 0.4; mean 0.4, variance (0.16 + 0.36 + 0.04 + 0) / 4 = 0.14.
  const Normalization own = normalization_of("dataset", bytes);
  CHECK(own.scale == doctest::Approx(1.0 / (255.0 * std::sqrt(0.14))).epsilon(1e-6));
  CHECK(own.shift == doctest::Approx(-0.4 / std::sqrt(0.14)).epsilon(1e-6));
  const Normalization none = normalization_of("none", bytes);
  CHECK(none.scale == static_cast<float>(1.0 / 255.0));
  CHECK(none.shift == 0.0f);
  const Normalization given = normalization_of("0.1307,0.3081", bytes);
  CHECK(given.scale == static_cast<float>(1.0 / 255.0 / 0.3081));
  CHECK(given.shift == static_cast<float>(-0.1307 / 0.3081));
  const Split values{.count = 2, .features = 1, .values = {1.0f, 3.0f}};
  const Normalization floats = normalization_of("dataset", values);  // not divided by 255
  CHECK(floats.scale == 1.0f);
  CHECK(floats.shift == -2.0f);
  for (const char* wrong : {"minmax", "0.1", "0.1,", "0.1,0", "0.1,-1", "a,b", "0,1,2"})
    CHECK_THROWS_AS(normalization_of(wrong, bytes), UsageError);
  const Split constant{.count = 2, .features = 1, .values = {5.0f, 5.0f}};
  CHECK_THROWS_AS(normalization_of("dataset", constant), DataError);
}

TEST_CASE("devices have names") {
  CHECK(machine_of(with({{"device", "cpu"}, {"threads", "3"}, {"memory-limit", "1KiB"}})).memory_limit ==
        1024);
  CHECK(machine_of(with({{"device", "emu"}})).kind == MachineSpec::Kind::emu);
  for (const char* wrong : {"gpu", "cpu:1", "cuda:x", "cuda:", ""}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(machine_of(with({{"device", wrong}})), UsageError);
  }
  CHECK_THROWS_AS(machine_of(with({{"memory-limit", "lots"}})), UsageError);
  if (cuda_status().devices == 0) {
    CHECK_THROWS_AS(machine_of(with({{"device", "cuda"}})), DeviceError);  // never a silent fallback
    CHECK(machine_of(with({{"device", "auto"}})).kind == MachineSpec::Kind::cpu);
  }
  CHECK(device_name({}) == "cpu");
  CHECK(device_name({.kind = MachineSpec::Kind::cuda, .device = 1}) == "cuda:1");
}
