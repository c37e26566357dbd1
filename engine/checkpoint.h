// Stopping and going on: everything of a run that is not in its specification, in one safetensors file. What
// is read back gives the bits of a run that was never stopped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/wave.h"

namespace shoal {

inline constexpr std::size_t kDetailFields = 4;

/// What is known so far of all models of a run; [models] or [epochs][models], NaN where nothing was measured.
struct History {
  int epochs = 0;
  std::size_t models = 0;
  std::vector<double> train_loss, train_accuracy, test_loss, test_accuracy;  // [epochs][models]
  std::vector<double>
      final;  // [4][models] train loss and accuracy, test loss and accuracy after the last epoch
  std::vector<double> gate_sizes;          // [epochs][gated layers of all models, in order]
  std::vector<double> details;             // [epochs][models][fields of EpochDetail]; empty unless asked for
  std::vector<std::int64_t> recorded;      // [models] epochs written above
  std::vector<std::int32_t> frozen_epoch;  // [models] -1: alive

  History() = default;
  History(int epochs, std::size_t models, std::size_t gated_layers = 0, bool with_details = false);
};

/// Hash of everything that decides the results of a run: models in order, epochs, loss, order, data and their
/// scale, and whether weights to start from were given (not which).
std::uint64_t run_fingerprint(const RunSpec&, const Task&, bool given_start = false);

/// Files of a run's checkpoint: `path` itself, and one beside it for every finished wave of a run that has
/// several.
std::string finished_wave_path(const std::string& path, int wave);

/// Where a stopped run stands: the wave that was being trained, and how the population was cut (the memory
/// that is free may differ by now).
struct CheckpointPlace {
  int wave = 0;
  std::vector<std::int32_t> wave_of_model;
  std::vector<std::int32_t> kept;  // of that wave's models: flatten(Wave::kept)
};

/// Writes the state of `wave`. Errors: WeightsError.
void write_checkpoint(const std::string& path, std::uint64_t fingerprint, const CheckpointPlace&,
                      const Wave& wave, const History&);
/// SpecError when the checkpoint belongs to another run.
CheckpointPlace read_checkpoint_place(const std::string& path, std::uint64_t fingerprint);
/// Fills a fresh wave and the history.
void read_checkpoint(const std::string& path, Wave& wave, History&);

/// A finished wave: its parameters and its neurons' moments, for as long as later waves run.
/// read_finished_kept: which neurons it ended with, to make the wave that is then filled.
void write_finished_wave(const std::string& path, const Wave&, const std::vector<Moments>&);
std::vector<std::int32_t> read_finished_kept(const std::string& path);
void read_finished_wave(const std::string& path, Wave&, std::vector<Moments>&);

}  // namespace shoal
