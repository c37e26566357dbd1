#include "tools/model_columns.h"

#include <array>

#include "tools/population_spec.h"
#include "tools/value_list.h"

namespace shoal {
namespace {

using M = const ModelSpec&;

std::string momentum(M m) { return has_momentum(m.optimizer.rule) ? to_text(m.optimizer.momentum) : ""; }
std::string of_moments(M m, double value) { return has_betas(m.optimizer.rule) ? to_text(value) : ""; }

constexpr std::array<ModelColumn, 13> kColumns = {{
    {"hidden", [](M m) { return to_text(m.hidden); }},
    {"seed", [](M m) { return std::to_string(m.seed); }},
    {"init", [](M m) { return std::string(name_of(m.init)); }},
    {"batch", [](M m) { return std::to_string(m.batch); }},
    {"optimizer", [](M m) { return std::string(optimizer_name(m.optimizer)); }},
    {"lr", [](M m) { return to_text(m.optimizer.lr); }},
    {"momentum", momentum},
    {"beta1", [](M m) { return of_moments(m, m.optimizer.beta1); }},
    {"beta2", [](M m) { return of_moments(m, m.optimizer.beta2); }},
    {"eps", [](M m) { return of_moments(m, m.optimizer.eps); }},
    {"l1", [](M m) { return to_text(m.optimizer.l1); }},
    {"l2", [](M m) { return to_text(m.optimizer.l2); }},
    {"weight_decay", [](M m) { return to_text(m.optimizer.weight_decay); }},
}};

}  // namespace

std::span<const ModelColumn> model_columns() { return kColumns; }

}  // namespace shoal
