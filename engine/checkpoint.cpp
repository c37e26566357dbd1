#include "engine/checkpoint.h"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "engine/hash.h"
#include "engine/safetensors.h"
#include "engine/shrink.h"

namespace shoal {
namespace {

constexpr const char* kFormat = "shoal checkpoint 2";
constexpr std::int64_t kMomentFields = 6;
constexpr std::uint64_t kGivenStart = 0x7374617274;  // in a fingerprint

std::span<const float> all(const AlignedArray<float>& a) { return {a.data(), a.size()}; }
std::span<float> all(AlignedArray<float>& a) { return {a.data(), a.size()}; }
std::int64_t length(std::size_t count) { return static_cast<std::int64_t>(count); }

std::uint64_t hash_bytes(const void* data, std::size_t bytes) {
  std::uint64_t h = bytes;
  const auto* p = static_cast<const unsigned char*>(data);
  for (; bytes >= 8; p += 8, bytes -= 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    h = mix(h ^ word);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, p, bytes);
  return mix(h ^ rest);
}

std::uint64_t hash_data(const DataView& d) {
  const auto count = static_cast<std::size_t>(d.count), values = count * static_cast<std::size_t>(d.features);
  const std::uint64_t inputs =
      d.bytes ? hash_bytes(d.bytes, values) : hash_bytes(d.values, values * sizeof(float));
  return hash_words({inputs, hash_bytes(d.labels, count * sizeof(std::int32_t))});
}

/// Calls visit(name, values) for every array of a wave and a history: the one list of what a checkpoint
/// holds.
template <class WaveType, class HistoryType, class Visit>
void for_each_array(WaveType& wave, HistoryType& history, Visit visit) {
  visit("parameters", all(wave.parameters));
  visit("slot_a", all(wave.slot_a));
  visit("slot_b", all(wave.slot_b));
  visit("gates.parameters", std::span(wave.gate.parameters));
  visit("gates.slot_a", std::span(wave.gate.slot_a));
  visit("gates.slot_b", std::span(wave.gate.slot_b));
  visit("gates.sign_mean", std::span(wave.gate.sign_mean));
  visit("gates.sign_variance", std::span(wave.gate.sign_variance));
  if (wave.layout.slots > 2) {  // absent from checkpoints without AMSGrad
    visit("slot_c", all(wave.slot_c));
    visit("gates.slot_c", std::span(wave.gate.slot_c));
  }
  visit("loss", std::span(wave.loss));
  visit("correct", std::span(wave.correct));
  visit("frozen", std::span(wave.frozen));
  visit("frozen_epoch", std::span(wave.frozen_epoch));
  visit("history.train_loss", std::span(history.train_loss));
  visit("history.train_accuracy", std::span(history.train_accuracy));
  visit("history.test_loss", std::span(history.test_loss));
  visit("history.test_accuracy", std::span(history.test_accuracy));
  visit("history.gate_sizes", std::span(history.gate_sizes));
  visit("history.final", std::span(history.final));
  if (!history.details.empty()) visit("history.details", std::span(history.details));
  visit("history.recorded", std::span(history.recorded));
  visit("history.frozen_epoch", std::span(history.frozen_epoch));
}

std::vector<std::int64_t> flatten(const std::vector<Position>& positions) {
  std::vector<std::int64_t> flat;
  for (const Position& p : positions) flat.insert(flat.end(), {p.epoch, p.step});
  return flat;
}

}  // namespace

History::History(int epoch_count, std::size_t model_count, std::size_t gated_layers, bool with_details)
    : epochs(epoch_count),
      models(model_count),
      final(4 * model_count),
      recorded(model_count),
      frozen_epoch(model_count, -1) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const std::size_t size = static_cast<std::size_t>(epochs) * models;
  for (auto* v : {&train_loss, &train_accuracy, &test_loss, &test_accuracy}) v->assign(size, kUnknown);
  final.assign(4 * models, kUnknown);
  gate_sizes.assign(static_cast<std::size_t>(epochs) * gated_layers, kUnknown);
  if (with_details) details.assign(size * kDetailFields, kUnknown);
}

std::uint64_t run_fingerprint(const RunSpec& run, const Task& task, bool given_start) {
  std::uint64_t h =
      hash_words({static_cast<std::uint64_t>(run.epochs), static_cast<std::uint64_t>(run.loss),
                  static_cast<std::uint64_t>(run.order), hash_data(task.train), hash_data(task.test)});
  float affine[2] = {task.scale, task.shift};
  h = hash_words({h, hash_bytes(affine, sizeof affine)});
  for (const ModelSpec& m : run.models) h = hash_words({h, model_id(m, task.shape)});
  if (run.epoch_details) h = hash_words({h, kDetailFields});
  if (given_start) h = hash_words({h, kGivenStart});
  return h;
}

std::string finished_wave_path(const std::string& path, int wave) {
  return fmt::format("{}.wave{}", path, wave);
}

void write_checkpoint(const std::string& path, std::uint64_t fingerprint, const CheckpointPlace& place,
                      const Wave& wave, const History& history) {
  const std::vector<std::int64_t> positions = flatten(wave.positions);
  const std::vector<std::int32_t> kept = flatten(wave.kept);
  std::vector<TensorSpec> tensors{{"positions", TensorType::i64, {length(wave.positions.size()), 2}},
                                  {"wave_of_model", TensorType::i32, {length(place.wave_of_model.size())}},
                                  {"kept", TensorType::i32, {length(kept.size())}}};
  for_each_array(wave, history, [&](const char* name, auto values) {
    using Element = std::remove_const_t<typename decltype(values)::element_type>;
    tensors.push_back({name, tensor_type_of<Element>(), {length(values.size())}});
  });
  SafetensorsWriter file(
      path, tensors,
      {{"format", kFormat}, {"run", to_string(fingerprint)}, {"wave", std::to_string(place.wave)}});
  file.write("positions", positions);
  file.write("wave_of_model", place.wave_of_model);
  file.write("kept", kept);
  for_each_array(wave, history, [&](const char* name, auto values) {
    using Element = std::remove_const_t<typename decltype(values)::element_type>;
    file.write(name, std::span<const Element>(values));
  });
  file.finish();
}

CheckpointPlace read_checkpoint_place(const std::string& path, std::uint64_t fingerprint) {
  const SafetensorsFile file(path);
  const auto& metadata = file.metadata();
  const auto value = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (value("format") != kFormat)
    throw WeightsError(fmt::format("{} is not a checkpoint of this program", path));
  if (value("run") != to_string(fingerprint))
    throw SpecError(fmt::format(
        "{} belongs to another run: models, epochs or data differ from what is asked for now", path));
  const CheckpointPlace place{std::stoi(value("wave")), file.read<std::int32_t>("wave_of_model"),
                              file.read<std::int32_t>("kept")};
  for (const std::int32_t w : place.wave_of_model)
    if (w < 0 || w >= length(place.wave_of_model.size()))
      throw WeightsError(fmt::format("{} is damaged: there is no wave {}", path, w));
  return place;
}

void read_checkpoint(const std::string& path, Wave& wave, History& history) {
  const SafetensorsFile file(path);
  const auto positions = file.read<std::int64_t>("positions", {length(wave.positions.size()), 2});
  for (std::size_t p = 0; p < wave.positions.size(); ++p)
    wave.positions[p] = {positions[2 * p], positions[2 * p + 1]};
  for_each_array(wave, history,
                 [&](const char* name, auto values) { file.read(name, {length(values.size())}, values); });
}

void write_finished_wave(const std::string& path, const Wave& wave, const std::vector<Moments>& moments) {
  std::vector<double> flat;
  for (const Moments& m : moments)
    flat.insert(flat.end(), {m.count, m.mean, m.squares, m.zeros, m.min, m.max});
  const std::vector<std::int32_t> kept = flatten(wave.kept);
  SafetensorsWriter file(path, {{"parameters", TensorType::f32, {length(wave.parameters.size())}},
                                {"gates", TensorType::f32, {length(wave.gate.parameters.size())}},
                                {"kept", TensorType::i32, {length(kept.size())}},
                                {"moments", TensorType::f64, {length(moments.size()), kMomentFields}}});
  file.write("parameters", all(wave.parameters));
  file.write("kept", kept);
  file.write("gates", std::span<const float>(wave.gate.parameters));
  file.write("moments", flat);
  file.finish();
}

std::vector<std::int32_t> read_finished_kept(const std::string& path) {
  return SafetensorsFile(path).read<std::int32_t>("kept");
}

void read_finished_wave(const std::string& path, Wave& wave, std::vector<Moments>& moments) {
  const SafetensorsFile file(path);
  file.read("parameters", {length(wave.parameters.size())}, all(wave.parameters));
  file.read("gates", {length(wave.gate.parameters.size())}, std::span(wave.gate.parameters));
  const auto flat = file.read<double>("moments", {length(moments.size()), kMomentFields});
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const double* f = &flat[i * kMomentFields];
    moments[i] = {f[0], f[1], f[2], f[3], static_cast<float>(f[4]), static_cast<float>(f[5])};
  }
}

void remove_checkpoints(const std::string& path) {
  std::error_code ignored;  // a file that is not there is fine
  std::filesystem::remove(path, ignored);
  // Waves end in order, so their files are numbered without gaps; removed from behind, they stay so.
  int waves = 0;
  while (std::filesystem::exists(finished_wave_path(path, waves), ignored)) ++waves;
  while (waves > 0) std::filesystem::remove(finished_wave_path(path, --waves), ignored);
}

}  // namespace shoal
