// The table of studies: one line each.
#include "tools/studies.h"

#include <array>

namespace shoal {

Action declare_adam(CLI::App&);
Action declare_pretrain(CLI::App&);
Action declare_slope(CLI::App&);
Action declare_conjecture(CLI::App&);
Action declare_ordering(CLI::App&);
Action declare_width(CLI::App&);
Action declare_pca(CLI::App&);
Action declare_flexible(CLI::App&);
Action declare_sparsifier(CLI::App&);
Action declare_plateau(CLI::App&);
Action declare_size_only(CLI::App&);
Action declare_growth(CLI::App&);
Action declare_removal(CLI::App&);

namespace {

constexpr std::array<Study, 13> kStudies = {{
    {"width", "How wide does a hidden layer have to be: accuracy and the spread of neurons against width",
     "shoal study width --data mnist -o runs/width\n"
     "shoal study width --full --device cuda",
     declare_width},
    {"pca",
     "In how many directions does a hidden layer spread: principal components before and after the ReLU",
     "shoal study pca --data mnist -o runs/pca\n"
     "shoal study pca --full --data both",
     declare_pca},
    {"conjecture",
     "Can a function of one layer tell that it is large enough: a network's metrics on noise it has labelled "
     "itself",
     "shoal study conjecture --data mnist -o runs/conjecture\n"
     "shoal study conjecture --data fashion-mnist --metric dead",
     declare_conjecture},
    {"flexible",
     "Layers that learn their own size: where the gate's x0 ends, by start, penalty and L2, beside plain "
     "layers",
     "shoal study flexible --data mnist -o runs/flexible\n"
     "shoal study flexible --full --data both",
     declare_flexible},
    {"plateau",
     "What stops a layer that learns its size from growing: outgoing weights beyond the gate, without decay "
     "and with L2",
     "shoal study plateau --data mnist -o runs/plateau\n"
     "shoal study plateau --full --data both",
     declare_plateau},
    {"size-only", "Training only the size of a trained network: where x0 ends, and what it descends on",
     "shoal study size-only --data mnist -o runs/size-only\n"
     "shoal study size-only --full --data both",
     declare_size_only},
    {"ordering",
     "Which neurons does a network need: the exact rise of the loss without each, cheaper measures of it, "
     "and "
     "pruning by them",
     "shoal study ordering --data mnist -o runs/ordering\n"
     "shoal study ordering --full --data both",
     declare_ordering},
    {"sparsifier",
     "Gates that a penalty shuts: how many neurons are left, how good they are, and on what that depends",
     "shoal study sparsifier --quick\n"
     "shoal study sparsifier --data both -o runs/sparsifier",
     declare_sparsifier},
    {"adam",
     "Is Adam noisy at very low loss, and why: losses of many models against AdaMax, AMSGrad, eps and beta2",
     "shoal study adam --data mnist -o runs/adam\n"
     "shoal study adam --full --data both",
     declare_adam},
    {"pretrain", "Does training at full width first make a layer smaller that learns its size afterwards",
     "shoal study pretrain --data mnist -o runs/pretrain\n"
     "shoal study pretrain --full --data both",
     declare_pretrain},
    {"growth",
     "When to add neurons: networks that grow, shrink or stay, at equal cost, and what the gradient at the "
     "edge tells",
     "shoal study growth --data mnist -o runs/growth\n"
     "shoal study growth --full --data both",
     declare_growth},
    {"slope",
     "Gates whose slope is drawn anew in every step, beside fixed ones with the same grey zone: size, loss, "
     "growth",
     "shoal study slope --data mnist -o runs/slope\n"
     "shoal study slope --full --data both",
     declare_slope},
    {"removal",
     "Toy networks at every subset of their nodes: what removing nodes does to the loss, for one network and "
     "for all",
     "shoal study removal -o runs/removal\n"
     "shoal study removal --full --data circle-published",
     declare_removal},
}};

}  // namespace

std::span<const Study> studies() { return kStudies; }

}  // namespace shoal
