#include "tools/gate_settings.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/tools/settings_of.h"
#include "tools/exit_codes.h"
#include "tools/model_columns.h"
#include "tools/population_spec.h"

using namespace shoal;
using test::with;

namespace {

std::size_t models(std::initializer_list<std::pair<const char*, const char*>> values) {
  return models_of(with(values)).models.size();
}

const GateSpec& gate_at(const ModelSpec& model, std::size_t layer = 0) { return model.gates.at(layer); }

}  // namespace

TEST_CASE("gates: lists multiply, and what a kind does not read makes no second model") {
  CHECK(models({{"gate", "none,liveness"}, {"gate-penalty", "0,1e-3,1e-2"}}) == 4);
  CHECK(models({{"gate", "liveness"}, {"gate-penalty", "1e-4..1e-1"}, {"seeds", "3"}}) == 12);
  CHECK(models({{"gate", "liveness,switch"}, {"gate-slope", "1,2"}, {"gate-slope-lr", "0,1"}}) == 2);
  CHECK(models({{"gate", "size"}, {"gate-slope", "1,2"}, {"gate-spread", "0,1"}}) == 2);
  CHECK(models({{"gate", "random-size"}, {"gate-slope", "1,2"}, {"gate-start", "1,2"}}) == 2);
  CHECK(models({{"gate", "size"}, {"size-penalty", "integral,sum,x0"}}) == 1);  // lambda is 0
  CHECK(models({{"gate", "size"}, {"size-penalty", "integral,sum,x0"}, {"gate-penalty", "0,1"}}) == 4);
  CHECK(models({{"gate", "none"}, {"gate-penalty", "0,1"}, {"gate-lr", "0.1,1"}}) == 1);
  CHECK(models({{"gate", "liveness"}, {"gate-lr", "0.1,1"}, {"gate-spread", "0,0.5"}}) == 4);
}

TEST_CASE("gates: a model without them has the id that it always had") {
  const Product plain = models_of(with({})), none = models_of(with({{"gate", "none"}, {"grey-zone", "2,3"}}));
  CHECK(model_id(plain.models[0], {784, 10}) == model_id(none.models[0], {784, 10}));
  CHECK(plain.models[0].gates.empty());
}

TEST_CASE("gates: automatic starts and learning rates") {
  const auto first = [](std::initializer_list<std::pair<const char*, const char*>> values) {
    return models_of(with(values)).models.at(0);
  };
  const ModelSpec size = first({{"gate", "size"}, {"hidden", "100x31"}, {"lr", "0.01"}});
  CHECK(gate_at(size, 0).start == 50.0);
  CHECK(gate_at(size, 1).start == 15.5);
  CHECK(gate_at(size).lr == 1.0);
  const ModelSpec live = first({{"gate", "liveness"}, {"lr", "0.01"}});
  CHECK(gate_at(live).start == 1.0);
  CHECK(gate_at(live).lr == 0.01);
  CHECK(gate_at(first({{"gate", "switch"}})).start == 1.0);
  CHECK(gate_at(first({{"gate", "hard-concrete"}})).start == 0.0);
  const ModelSpec given = first({{"gate", "size"}, {"gate-start", "-3"}, {"gate-lr", "0"}});
  CHECK(gate_at(given).start == -3.0);
  CHECK(gate_at(given).lr == 0.0);
}

TEST_CASE("gates: everything that can be set arrives") {
  const ModelSpec m = models_of(with({{"gate", "switch"},
                                      {"gate-inertia", "0.99"},
                                      {"gate-threshold", "0.25"},
                                      {"gate-begin", "3"},
                                      {"weights-rest", "7"},
                                      {"remove-dead", "on"}}))
                          .models.at(0);
  CHECK(gate_at(m).inertia == 0.99);
  CHECK(gate_at(m).threshold == 0.25);
  CHECK(gate_at(m).begin == 3);
  CHECK(m.weights_rest == 7);
  CHECK(m.remove_dead);
  for (const char* zone : {"2..5", "2,5", " 2 .. 5 "}) {
    const ModelSpec r = models_of(with({{"gate", "random-size"}, {"grey-zone", zone}})).models.at(0);
    CHECK(gate_at(r).zone_low == 2.0);
    CHECK(gate_at(r).zone_high == 5.0);
  }
  const ModelSpec s =
      models_of(with({{"gate", "size"}, {"gate-slope", "-2"}, {"gate-slope-lr", "0.5"}})).models.at(0);
  CHECK(gate_at(s).slope == -2.0);
  CHECK(gate_at(s).slope_lr == 0.5);
}

TEST_CASE("gates: on some layers only") {
  const ModelSpec m =
      models_of(with({{"gate", "liveness"}, {"gate-layers", "2"}, {"hidden", "8x6x4"}})).models.at(0);
  CHECK(gate_at(m, 0).kind == GateKind::none);
  CHECK(gate_at(m, 1).kind == GateKind::liveness);
  CHECK(gate_at(m, 2).kind == GateKind::none);
  CHECK_THROWS_WITH_AS(models_of(with({{"gate", "liveness"}, {"gate-layers", "2"}, {"hidden", "8"}})),
                       "--gate-layers: a model of 8 has no hidden layer 2", UsageError);
  for (const char* wrong : {"", "0", "5", "x", "1,,2"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(gated_layers(with({{"gate-layers", wrong}})), UsageError);
  }
}

TEST_CASE("gates: what cannot be is refused in words") {
  CHECK_THROWS_AS(with({{"gate", "mask"}}), UsageError);
  CHECK_THROWS_AS(with({{"gate", "livness"}}), UsageError);
  CHECK_THROWS_AS(with({{"gate-penalty", "-1"}}), UsageError);
  CHECK_THROWS_AS(with({{"gate-penalty", "1e7"}}), UsageError);
  CHECK_THROWS_AS(with({{"gate-inertia", "1.5"}}), UsageError);
  CHECK_THROWS_AS(with({{"gate-begin", "-1"}}), UsageError);
  for (const char* wrong : {"5", "1..", "a,b", "", "1,2,3"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(models_of(with({{"gate", "random-size"}, {"grey-zone", wrong}})), UsageError);
  }
  CHECK_THROWS_AS(models_of(with({{"gate", "random-size"}, {"grey-zone", "5..2"}})), SpecError);
  CHECK_THROWS_AS(models_of(with({{"gate", "hard-concrete"}, {"remove-dead", "on"}})), UsageError);
  CHECK_THROWS_AS(models_of(with({{"remove-dead", "on"}})), UsageError);
  CHECK(models({{"gate", "none,liveness,hard-concrete"}, {"remove-dead", "on"}}) == 3);
  CHECK_THROWS_AS(models({{"gate", "size"}, {"gate-slope", "1..100:200"}, {"gate-lr", "1..100:200"}}),
                  UsageError);
}

TEST_CASE("columns of gates and of a decaying learning rate are there when a model has such a thing") {
  const auto names = [](const Product& p) {
    std::vector<std::string_view> all;
    for (const ModelColumn& column : model_columns(p.models)) all.push_back(column.name);
    return all;
  };
  const auto plain = names(models_of(with({})));
  CHECK(plain.back() == "weight_decay");
  const auto gated = names(models_of(with({{"gate", "none,size"}})));
  CHECK(gated.size() > plain.size());
  CHECK(std::find(gated.begin(), gated.end(), "gate_slope") != gated.end());
  const auto decays = names(models_of(with({{"lr-decay", "cosine"}})));
  CHECK(decays.back() == "decay_epochs");
}

TEST_CASE("group lasso is a setting of the optimizer, and none is what it always was") {
  const Product p = models_of(with({{"group-lasso", "0,1e-3"}}));
  REQUIRE(p.models.size() == 2);
  CHECK(p.models[1].optimizer.group_lasso == 1e-3);
  CHECK(model_id(p.models[0], {784, 10}) == model_id(models_of(with({})).models[0], {784, 10}));
  CHECK(model_columns(p.models).back().name == "group_lasso");
}

TEST_CASE("a learning rate that decays is a model of its own, and one that does not is what it always was") {
  const Product p = models_of(with({{"lr-decay", "none,cosine,linear"}, {"epochs", "7"}}));
  REQUIRE(p.models.size() == 3);
  CHECK(p.models[0].optimizer.decay_epochs == 0);
  CHECK(p.models[1].optimizer.lr_decay == LrDecay::cosine);
  CHECK(p.models[1].optimizer.decay_epochs == 7);
  CHECK(model_id(p.models[0], {784, 10}) == model_id(models_of(with({})).models[0], {784, 10}));
  const Product given = models_of(with({{"lr-decay", "cosine"}, {"decay-epochs", "9"}}));
  CHECK(given.models[0].optimizer.decay_epochs == 9);
  CHECK(model_id(given.models[0], {784, 10}) != model_id(p.models[1], {784, 10}));
  CHECK(models({{"lr-decay", "cosine"}, {"epochs", "0"}}) == 1);
}
