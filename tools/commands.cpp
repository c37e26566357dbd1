// The table of subcommands: one line each, in the order in which the help shows them.
#include <array>

#include "tools/command.h"

namespace shoal {

Action declare_train(CLI::App&);
Action declare_study(CLI::App&);
Action declare_eval(CLI::App&);
Action declare_export(CLI::App&);
Action declare_gate(CLI::App&);
Action declare_gradcheck(CLI::App&);
Action declare_remove(CLI::App&);
Action declare_stats(CLI::App&);
Action declare_data(CLI::App&);
Action declare_info(CLI::App&);

namespace {

constexpr std::array<Command, 10> kCommands = {{
    {"train", "Train a population: models of many widths, seeds and hyperparameters at once",
     "shoal train --data digits --hidden 16,64,256 --seeds 4\n"
     "shoal train --data mnist --hidden 4..4096 --seeds 10 --epochs 15 -o runs/widths\n"
     "shoal train --data mnist --hidden 100x50 --optimizer sgd,adam --lr 1e-4..1e-1 --dry-run\n"
     "shoal train --data mnist --hidden 500 --gate liveness --gate-penalty 1e-4..1e-2 -o runs/sparse\n"
     "shoal train --config runs/widths/config.toml -o runs/again\n"
     "shoal train --resume -o runs/widths",
     declare_train},
    {"study", "Run an experiment: train a population and look inside it", "shoal study width --help",
     declare_study},
    {"eval", "Loss and accuracy of a model in a safetensors file, e.g. one that PyTorch has trained",
     "shoal eval --weights mlp.safetensors --data mnist\n"
     "shoal eval --weights runs/widths/state.safetensors --model 3fa2 --data mnist --logits logits.npy",
     declare_eval},
    {"export", "Write one model of a run as a safetensors file with PyTorch's names",
     "shoal export runs/widths --model 0 -o first.safetensors\n"
     "shoal export runs/widths --model 3fa29c0de4b51c77 -o model.safetensors\n"
     "shoal export runs/sparse --model 2 --compact -o small.safetensors",
     declare_export},
    {"gate", "The size gate's integral and its derivatives, beside the sum and the naive formulas",
     "shoal gate --x0 250 --k 0.4 --n 500\n"
     "shoal gate --x0 250 --k 1 --n 500 --precision float32\n"
     "shoal gate --csv gates.csv --json",
     declare_gate},
    {"gradcheck", "Gradients of a model's first step against double precision and differences",
     "shoal gradcheck --data digits --hidden 100x50\n"
     "shoal gradcheck --data mnist --hidden 100 --gate size,liveness --gate-penalty 0.01\n"
     "shoal gradcheck --data mnist --hidden 256 --device cuda --json",
     declare_gradcheck},
    {"remove", "A network without some of its nodes: every subset of them, exactly",
     "shoal remove --weights toy.safetensors --data circle\n"
     "shoal remove --weights toy.safetensors --data circle --keep 0.5 --table subsets.npz --json\n"
     "shoal remove --weights toy.safetensors --data circle --page toy.html\n"
     "shoal remove --weights runs/widths/state.safetensors --model 3fa2 --data mnist --nodes 0-15\n"
     "shoal remove --weights deep.safetensors --data points.npz --layer all --samples 10000",
     declare_remove},
    {"stats", "Moments, tests and correlations of the columns of any table: csv, npy, npz",
     "shoal stats activations.npy --json\n"
     "shoal stats measurements.csv --column 3,temperature --shapiro --mixture normal-normal\n"
     "shoal stats activations.npz --array layer1 --pca\n"
     "shoal stats runs/widths/population.csv --column test_accuracy,test_loss --rank --bootstrap 2000\n"
     "shoal stats runs/widths/neurons.npz --array sd --quantiles 0.25,0.5,0.75",
     declare_stats},
    {"data", "List, check and describe data sets",
     "shoal data list\nshoal data check mnist\nshoal data describe digits", declare_data},
    {"info", "Devices, instruction sets and how this program was built", "shoal info\nshoal info --json",
     declare_info},
}};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace shoal
