// The Adam study's numbers and verdict, on results made by hand.
#include "tools/studies/adam_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/adam_figures.h"

namespace {

using namespace shoal;

std::size_t index_of(std::string_view name) {
  const auto variants = adam_variants();
  return static_cast<std::size_t>(
      std::find_if(variants.begin(), variants.end(), [&](const Variant& v) { return v.name == name; }) -
      variants.begin());
}

/// Two seeds of every variant, `epochs` epochs at loss 1e-4 with scale 1e-3.
struct Made {
  RunSpec spec;
  RunResult result;

  explicit Made(int epochs = 6, std::vector<std::vector<int>> shapes = {{8}}) {
    std::vector<ModelSpec> models;
    for (const auto& hidden : shapes)
      for (const std::uint64_t seed : {1u, 2u}) {
        models.emplace_back();
        models.back().hidden = hidden, models.back().seed = seed;
      }
    spec.models = with_variants(models);
    for (std::size_t m = 0; m < spec.models.size(); ++m) {
      ModelResult r{};
      for (int e = 0; e < epochs; ++e) {
        r.epoch_train_loss.push_back(1e-4);
        r.details.push_back({1e-4, 1e-5, 1e-3, 0.25});
      }
      result.models.push_back(r);
    }
  }
  ModelResult& model(std::string_view variant, std::size_t seed) {
    return result.models[seed * adam_variants().size() + index_of(variant)];
  }
  std::vector<AdamRow> rows() const { return adam_rows(spec, result, 1280); }
};

TEST_CASE("every model is trained once a variant, with the variant's optimizer") {
  const Made made;
  const std::size_t count = adam_variants().size();
  REQUIRE(made.spec.models.size() == 2 * count);
  CHECK(made.spec.models[0].optimizer.rule == UpdateRule::adam);
  CHECK(made.spec.models[0].optimizer.eps == 1e-8);
  CHECK(made.spec.models[index_of("adam-eps-1e-5")].optimizer.eps == 1e-5);
  CHECK(made.spec.models[count + index_of("amsgrad-beta2-0.99")].optimizer.beta2 == 0.99);
  CHECK(made.spec.models[count + index_of("amsgrad")].optimizer.rule == UpdateRule::amsgrad);
  CHECK(made.spec.models[count].seed == 2);
  CHECK(made.spec.models[index_of("momentum")].optimizer.lr == doctest::Approx(0.003));
}

TEST_CASE("a jump is a rise by three or more from a low loss, on the way or at the end") {
  Made made;
  made.model("adam", 0).epoch_train_loss[2] = 3.1e-4;    // on the way, and back
  made.model("adam", 0).details[3].train_loss = 2.9e-4;  // not enough
  made.model("adam", 1).details[4].train_loss = 5e-3;    // high at the end ...
  made.model("adam", 1).epoch_train_loss[5] = 6e-2;      // ... so the next epoch does not count
  made.model("adamax", 0).details[0].train_loss = 0.0;   // below what floats tell apart
  made.model("adamax", 0).details[1].train_loss = 2e-8;
  made.model("adamax", 0).epoch_train_loss[1] = 0.0;
  const auto rows = made.rows();
  const AdamRow& adam = rows[index_of("adam")];
  CHECK(adam.models == 2);
  CHECK(adam.jumps == 2);
  CHECK(adam.jumping_models == 2);
  CHECK(adam.low.size() == 9);
  CHECK(adam.largest_jump == doctest::Approx(50));
  CHECK(jump_rate(adam) == doctest::Approx(2000.0 / 9));
  CHECK(adam.loss[4].max == 5e-3);
  CHECK(adam.loss[4].median == doctest::Approx((5e-3 + 1e-4) / 2));
  CHECK(adam.lowest.max == 1e-4);
  CHECK(adam.below_eps == 0.25);
  // 2e-8 over the least loss, 1e-8, is no jump; 1e-4 over 2e-8 is.
  CHECK(rows[index_of("adamax")].jumps == 1);
  CHECK(rows[index_of("amsgrad")].jumps == 0);
  CHECK(rows[index_of("amsgrad")].largest_jump == 1);
}

TEST_CASE("room: the largest scale so far over what the rule divides by") {
  Made made;
  made.model("adam", 0).details[2].scale = 1e-5;
  made.model("adam", 0).epoch_train_loss[3] = 1e-2;
  made.model("momentum", 0).epoch_train_loss[3] = 1e-2;
  for (EpochDetail& d : made.model("momentum", 0).details) d.scale = 0;
  for (EpochDetail& d : made.model("momentum", 1).details) d.scale = 0;
  const auto rows = made.rows();
  CHECK(rows[index_of("adam")].room_before_jumps == doctest::Approx(1e-3 / (1e-5 + 1e-8)));
  CHECK(rows[index_of("adam")].room_otherwise == doctest::Approx(1).epsilon(1e-4));
  CHECK(rows[index_of("momentum")].jumps == 1);
  CHECK(std::isnan(rows[index_of("momentum")].room_before_jumps));
  CHECK(jumps_from(rows[index_of("adam")], 0).jumps == 1);
  CHECK(jumps_from(rows[index_of("adam")], 0).epochs == 10);
  CHECK(jumps_from(rows[index_of("adam")], 2e-4).epochs == 0);
}

TEST_CASE("decline and fading are per step, from epochs without jumps") {
  Made made;  // 10 steps an epoch
  for (const std::size_t seed : {0u, 1u})
    for (std::size_t e = 0; e < 6; ++e) {
      ModelResult& model = made.model("adam", seed);
      model.details[e].train_loss = model.epoch_train_loss[e] =
          1e-4 * std::exp(-0.5 * static_cast<double>(e));
      model.details[e].scale = std::exp(-0.2 * static_cast<double>(e));
    }
  made.model("adam", 0).details[5].train_loss = 1.0;
  const AdamRow adam = made.rows()[index_of("adam")];
  CHECK(adam.jumps == 1);
  CHECK(adam.decline == doctest::Approx(0.05));
  CHECK(adam.fading == doctest::Approx(0.02));
  CHECK(adam.memory_epochs == doctest::Approx(100));
}

TEST_CASE("a model that diverged is counted and left out") {
  Made made;
  made.model("adam", 0).status = ModelStatus::diverged;
  made.model("adamax", 0).status = made.model("adamax", 1).status = ModelStatus::diverged;
  const auto rows = made.rows();
  CHECK(rows[0].models == 2);
  CHECK(rows[0].diverged == 1);
  CHECK(rows[0].low.size() == 5);
  CHECK(rows[index_of("adamax")].loss.empty());
  CHECK(!adam_verdict(rows).empty());
  CHECK(adam_figures(rows, "test").size() == 3);
}

TEST_CASE("shapes have rows of their own, and nothing trained is no answer") {
  const auto rows = Made(4, {{8}, {16}}).rows();
  REQUIRE(rows.size() == 2 * adam_variants().size());
  CHECK(rows.front().hidden == "8");
  CHECK(rows.back().hidden == "16");
  CHECK(adam_verdict(rows).front().starts_with("Width 8: "));
  CHECK(adam_figures(rows, "test").size() == 6);
  const auto none = Made(0).rows();
  CHECK(none.size() == adam_variants().size());
  CHECK(adam_verdict(none).front().find("nothing to answer") != std::string::npos);
  CHECK(adam_figures(none, "test").empty());
}

TEST_CASE("the largest kick is what simulating one batch after a long calm gives") {
  for (const auto& [rule, beta2] :
       {std::pair{UpdateRule::adam, 0.999}, {UpdateRule::adam, 0.99}, {UpdateRule::adamax, 0.999}}) {
    OptimizerSpec o;
    o.rule = rule, o.beta2 = beta2;
    double a = 0, b = 0, moved = 0;
    for (int t = 0; t < 400; ++t) {
      const double g = t == 0 ? 1 : 0;
      a = o.beta1 * a + (1 - o.beta1) * g;
      b = rule == UpdateRule::adam ? beta2 * b + (1 - beta2) * g * g : std::max(beta2 * b, std::abs(g));
      moved += a / (rule == UpdateRule::adam ? std::sqrt(b) : b);
    }
    CHECK(largest_kick(o) == doctest::Approx(moved).epsilon(1e-9));
  }
  OptimizerSpec o;
  o.rule = UpdateRule::amsgrad;
  CHECK(std::isnan(largest_kick(o)));
  o.rule = UpdateRule::adam, o.beta1 = 0.999, o.beta2 = 0.9;
  CHECK(std::isinf(largest_kick(o)));
}

TEST_CASE("the verdict says what decides") {
  Made made(60);
  const auto jump = [&](std::string_view variant, int every) {
    for (const std::size_t seed : {0u, 1u})
      for (std::size_t e = 5; e < 60; e += static_cast<std::size_t>(every)) {
        made.model(variant, seed).epoch_train_loss[e] = 1e-2;
        made.model(variant, seed).details[e - 1].scale = 1e-6;
      }
  };
  jump("adam", 12), jump("adam-eps-1e-12", 12), jump("adam-beta2-0.99", 4);
  const auto sentences = adam_verdict(made.rows());
  const auto says = [&](std::string_view words) {
    return std::any_of(sentences.begin(), sentences.end(),
                       [&](const std::string& s) { return s.find(words) != std::string::npos; });
  };
  CHECK(says("the shorter it is, the more often"));
  CHECK(says("the forgetting makes the noise"));
  CHECK(says("A large eps ends it"));
  CHECK(says("10 jumps in 118 epochs"));
  // Without jumps nothing is claimed.
  const auto calm = adam_verdict(Made(60).rows());
  CHECK(std::none_of(calm.begin(), calm.end(), [](const std::string& s) {
    return s.find("Yes") != std::string::npos || s.find("ends it") != std::string::npos;
  }));
}

}  // namespace
