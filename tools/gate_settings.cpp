#include "tools/gate_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "tools/exit_codes.h"

namespace shoal {
namespace {

constexpr std::string_view kGroup = "Gates on the neurons of hidden layers (lists multiply, too)";
constexpr std::string_view kAutomatic = "auto";
constexpr int kMostChoices = 10000;
using Type = SettingType;

/// All kinds but the mask, whose factors no flag could hold.
constexpr std::array<std::string_view, 6> kKinds{"none",     "size",   "random-size",
                                                 "liveness", "switch", "hard-concrete"};

constexpr std::array<std::string_view, 2> kSwitch{"off", "on"};

Setting number(std::string_view key, std::string_view fallback, std::string_view help, double minimum) {
  return {.key = key,
          .type = Type::real,
          .fallback = fallback,
          .group = kGroup,
          .metavar = "X,...",
          .help = help,
          .list = true,
          .step = RangeStep::tenfold,
          .minimum = minimum,
          .maximum = 1e6};
}

void add_kinds(Schema& s) {
  s.push_back({.key = "gate",
               .type = Type::choice,
               .fallback = "none",
               .group = kGroup,
               .metavar = "KIND,...",
               .help = "a factor on every neuron's output, which learns",
               .list = true,
               .choices = kKinds});
  s.push_back({.key = "gate-layers",
               .fallback = "all",
               .group = kGroup,
               .metavar = "all|N,...",
               .help = "which hidden layers have gates, counted from 1"});
  s.push_back(number("gate-penalty", "0", "lambda: what a neuron costs", 0.0));
  s.push_back({.key = "size-penalty",
               .type = Type::choice,
               .fallback = "integral",
               .group = kGroup,
               .metavar = "NAME,...",
               .help = "of size and random-size: lambda is multiplied by the integral of the gate, the sum "
                       "of the gates, or x0 itself (which has no minimum)",
               .list = true,
               .choices = size_penalty_names()});
}

void add_numbers(Schema& s) {
  s.push_back(number("gate-start", kAutomatic,
                     "x0 of the size kinds, the gate of liveness and switch, log alpha of hard-concrete; "
                     "auto: half of the layer's width, 1, 0",
                     -1e6));
  s.back().word = kAutomatic;
  s.push_back(number("gate-spread", "0", "gates start uniform in start +- X (not the size kinds)", 0.0));
  s.push_back(number("gate-slope", "1", "of size: k in 1 / (1 + exp(-k (x0 - i)))", -1e6));
  s.push_back(number("gate-slope-lr", "0", "of size: learning rate of k; 0: k is fixed", 0.0));
  s.push_back(number("gate-lr", kAutomatic,
                     "learning rate of what a gate learns; auto: 1 for x0, the model's otherwise", 0.0));
  s.back().word = kAutomatic;
  s.push_back({.key = "grey-zone",
               .fallback = "1..20",
               .group = kGroup,
               .metavar = "LOW..HIGH",
               .help = "of random-size: neurons from a gate of 99 % to one of 1 %, uniform in each step"});
}

void add_rules(Schema& s) {
  s.push_back({.key = "gate-inertia",
               .type = Type::real,
               .fallback = "off",
               .group = kGroup,
               .metavar = "X",
               .help = "of switch: Smallify's rule, which switches a neuron off whose gate changes its sign "
                       "too often; inertia of the sign's mean and variance, 0 .. 1",
               .minimum = 0.0,
               .maximum = 1.0,
               .word = "off"});
  s.push_back({.key = "gate-threshold",
               .type = Type::real,
               .fallback = "0.5",
               .group = kGroup,
               .metavar = "X",
               .help = "of that rule: the variance of the sign beyond which a neuron is switched off",
               .minimum = 0.0,
               .maximum = 1e6});
  s.push_back({.key = "gate-begin",
               .type = Type::integer,
               .fallback = "0",
               .group = kGroup,
               .metavar = "EPOCHS",
               .help = "all gates are open for so many epochs first",
               .minimum = 0,
               .maximum = 1e6});
  s.push_back({.key = "weights-rest",
               .type = Type::integer,
               .fallback = "never",
               .group = kGroup,
               .metavar = "EPOCHS",
               .help = "after so many epochs weights and biases stay as they are, and only gates learn",
               .minimum = 0,
               .maximum = 1e6,
               .word = "never"});
  s.push_back(
      {.key = "remove-dead",
       .type = Type::choice,
       .fallback = "off",
       .group = kGroup,
       .metavar = "on|off",
       .help = "neurons whose gate has closed for good leave after each epoch, and training gets faster",
       .choices = kSwitch});
}

/// The numbers of a list, or one that means nothing, which the caller replaces.
std::vector<double> numbers_or_automatic(const Settings& s, std::string_view key) {
  return s.text(key) == kAutomatic ? std::vector<double>{0.0} : s.reals(key);
}

/// Two widths, as "1..20" or "1,20".
std::pair<double, double> grey_zone(const Settings& s) {
  const std::string& text = s.text("grey-zone");
  const std::size_t dots = text.find(".."), comma = text.find(',');
  const std::size_t at = std::min(dots, comma), length = dots < comma ? 2 : 1;
  try {
    if (at != std::string::npos)
      return {parse_real(std::string_view(text).substr(0, at)),
              parse_real(std::string_view(text).substr(at + length))};
  } catch (const UsageError&) {}
  throw UsageError(fmt::format("--grey-zone: '{}' are no two widths: write 1..20 or 1,20", text));
}

/// What a kind does not read is at its default, so that it does not tell models apart.
GateChoice without_unused(GateChoice choice) {
  const GateSpec defaults;
  GateSpec& g = choice.gate;
  if (!learns(g.kind)) return {};
  if (!has_size(g.kind) || g.penalty == 0.0) g.size_penalty = defaults.size_penalty;
  if (has_size(g.kind)) g.spread = defaults.spread;
  if (g.kind != GateKind::size) g.slope = defaults.slope, g.slope_lr = defaults.slope_lr;
  if (g.kind != GateKind::random_size) g.zone_low = defaults.zone_low, g.zone_high = defaults.zone_high;
  if (g.kind != GateKind::liveness_switch) g.inertia = defaults.inertia;
  if (g.inertia < 0.0) g.threshold = defaults.threshold;
  if (choice.automatic_start) g.start = defaults.start;
  if (choice.automatic_lr) g.lr = defaults.lr;
  return choice;
}

/// Where a kind's gates start when nobody says: open, or of hard-concrete gates at even odds.
double automatic_start(GateKind kind) { return kind == GateKind::hard_concrete ? 0.0 : 1.0; }

bool same(const GateChoice& a, const GateChoice& b) {
  return a.gate == b.gate && a.automatic_start == b.automatic_start && a.automatic_lr == b.automatic_lr;
}

/// What every combination has.
GateChoice common(const Settings& s) {
  GateChoice choice;
  GateSpec& g = choice.gate;
  std::tie(g.zone_low, g.zone_high) = grey_zone(s);
  g.inertia = s.text("gate-inertia") == "off" ? -1.0 : s.real("gate-inertia");
  g.threshold = s.real("gate-threshold");
  g.begin = static_cast<int>(s.integer("gate-begin"));
  choice.automatic_start = s.text("gate-start") == kAutomatic;
  choice.automatic_lr = s.text("gate-lr") == kAutomatic;
  return choice;
}

/// Every choice so far with every value.
template <class T>
void multiply(std::vector<GateChoice>& choices, T GateSpec::*field, const std::vector<T>& values) {
  if (static_cast<double>(choices.size()) * static_cast<double>(values.size()) > kMostChoices)
    throw UsageError(fmt::format("the lists of gates make more than {} combinations", kMostChoices));
  std::vector<GateChoice> longer;
  for (const GateChoice& choice : choices)
    for (const T& value : values) {
      longer.push_back(choice);
      longer.back().gate.*field = value;
    }
  choices = std::move(longer);
}

template <class Enum>
std::vector<Enum> parsed(const std::vector<std::string>& names, Enum (*parse)(std::string_view)) {
  std::vector<Enum> values;
  for (const std::string& name : names) values.push_back(parse(name));
  return values;
}

std::vector<int> parse_gated_layers(const std::string& text) {
  std::vector<int> layers;
  for (const std::int64_t layer : parse_integers(text, RangeStep::by_one)) {
    if (layer < 1 || layer > 4) throw UsageError(fmt::format("there is no hidden layer {}", layer));
    layers.push_back(static_cast<int>(layer) - 1);
  }
  return layers;
}

}  // namespace

bool closes_for_good(const GateSpec& g) {
  return g.kind == GateKind::liveness || (g.kind == GateKind::liveness_switch && g.inertia >= 0.0);
}

void add_gate_settings(Schema& s) {
  add_kinds(s);
  add_numbers(s);
  add_rules(s);
}

std::vector<GateChoice> gate_choices(const Settings& s) {
  std::vector<GateChoice> all{common(s)};
  multiply(all, &GateSpec::kind, parsed(s.texts("gate"), parse_gate));
  multiply(all, &GateSpec::penalty, s.reals("gate-penalty"));
  multiply(all, &GateSpec::size_penalty, parsed(s.texts("size-penalty"), parse_size_penalty));
  multiply(all, &GateSpec::start, numbers_or_automatic(s, "gate-start"));
  multiply(all, &GateSpec::spread, s.reals("gate-spread"));
  multiply(all, &GateSpec::slope, s.reals("gate-slope"));
  multiply(all, &GateSpec::slope_lr, s.reals("gate-slope-lr"));
  multiply(all, &GateSpec::lr, numbers_or_automatic(s, "gate-lr"));
  std::vector<GateChoice> different;
  for (const GateChoice& choice : all) {
    const GateChoice plain = without_unused(choice);
    if (std::none_of(different.begin(), different.end(), [&](const auto& d) { return same(d, plain); }))
      different.push_back(plain);
  }
  return different;
}

std::vector<int> gated_layers(const Settings& s) {
  const std::string& text = s.text("gate-layers");
  if (text == "all") return {};
  try {
    return parse_gated_layers(text);
  } catch (const UsageError& e) {
    throw UsageError(fmt::format(
        "--gate-layers: {}; write all, or numbers of hidden layers counted from 1 (1,2)", e.what()));
  }
}

std::vector<GateSpec> gates_for(const GateChoice& choice, const std::vector<int>& layers,
                                const ModelSpec& model) {
  if (choice.gate.kind == GateKind::none) return {};
  std::vector<GateSpec> gates(model.hidden.size());
  for (std::size_t l = 0; l < gates.size(); ++l) {
    const bool chosen = std::find(layers.begin(), layers.end(), static_cast<int>(l)) != layers.end();
    if (!layers.empty() && !chosen) continue;
    GateSpec& g = gates[l];
    g = choice.gate;
    const bool size = has_size(g.kind);
    if (choice.automatic_start) g.start = size ? 0.5 * model.hidden[l] : automatic_start(g.kind);
    if (choice.automatic_lr) g.lr = size ? 1.0 : model.optimizer.lr;
  }
  for (const int layer : layers)
    if (static_cast<std::size_t>(layer) >= gates.size())
      throw UsageError(fmt::format("--gate-layers: a model of {} has no hidden layer {}",
                                   to_text(model.hidden), layer + 1));
  return gates;
}

}  // namespace shoal
