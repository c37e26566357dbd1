#include <algorithm>
#include <cmath>

#include "datasets/error.h"
#include "engine/gradients.h"
#include "tools/removal_answer.h"

namespace shoal {
namespace {

/// Weights of the models that are evaluated together.
constexpr std::size_t kBatchWeights = std::size_t{1} << 26;  // 256 MiB of floats

/// Asks the engine for losses of masked models, batch by batch, and counts them.
class Evaluator {
 public:
  Evaluator(const RemovalProblem& p, const RemovalSettings& s, double all) : p_(p), s_(s), all_(all) {}

  bool stopped() const { return s_.stop && s_.stop->load(); }
  void count(double evaluations) {
    done_ += evaluations;
    if (s_.progress) s_.progress(std::min(1.0, done_ / all_));
  }

  std::vector<GivenScore> scores(std::span<const NodeMask> masks) {
    std::vector<GivenScore> all;
    std::size_t weights = 0;
    for (const LayerWeights& l : p_.layers) weights += l.weight.size() + l.bias.size();
    const std::size_t batch = std::max<std::size_t>(1, kBatchWeights / weights);
    for (std::size_t first = 0; first < masks.size(); first += batch) {
      const auto some = masks.subspan(first, std::min(batch, masks.size() - first));
      std::vector<Layers> models;
      for (const NodeMask& mask : some) models.push_back(masked(p_, mask));
      const std::vector<GivenScore> found = evaluate_models(models, p_.view(), p_.scale, p_.shift,
                                                            LossKind::cross_entropy, s_.machine, s_.stop);
      if (found.empty()) return {};
      all.insert(all.end(), found.begin(), found.end());
      count(static_cast<double>(some.size()));
    }
    return all;
  }

  std::vector<double> losses(std::span<const NodeMask> masks) {
    std::vector<double> losses;
    for (const GivenScore& score : scores(masks)) losses.push_back(score.loss);
    return losses;
  }

  /// d loss / d b of every node at a mask, from the gradients by the weights that read it: b_i stands before
  /// each of them, so its derivative is the sum of weight times gradient, also where b_i is 0.
  std::vector<double> gradients(const NodeMask& mask, double& loss) const {
    ModelSpec model;
    model.hidden.clear();
    for (std::size_t l = 0; l + 1 < p_.layers.size(); ++l) model.hidden.push_back(p_.layers[l].outputs);
    const Task task{{p_.points.features, p_.classes}, p_.view(), p_.view(), p_.scale, p_.shift};
    const Layers start = masked(p_, mask);
    const ModelGradients found = gradients_of(model, LossKind::cross_entropy, task, s_.machine, start);
    loss = found.loss;
    std::vector<double> gradients;
    for (const NodePlace& n : p_.nodes) {
      const auto reader = static_cast<std::size_t>(n.layer) + 1;
      const LayerWeights &weights = p_.layers[reader], &slopes = found.gradients[reader];
      double sum = 0;
      for (int o = 0; o < weights.outputs; ++o) {
        const auto at = static_cast<std::size_t>(o) * static_cast<std::size_t>(weights.inputs) +
                        static_cast<std::size_t>(n.neuron);
        sum += static_cast<double>(weights.weight[at]) * static_cast<double>(slopes.weight[at]);
      }
      gradients.push_back(sum);
    }
    return gradients;
  }

 private:
  const RemovalProblem& p_;
  const RemovalSettings& s_;
  double all_, done_ = 0;
};

std::vector<double> logarithms(std::span<const double> losses) {
  std::vector<double> logs;
  for (const double loss : losses) {
    if (!(loss > 0 && std::isfinite(loss)))
      throw DataError("without some of the nodes the loss is not a number above 0, so it has no logarithm");
    logs.push_back(std::log(loss));
  }
  return logs;
}

void add_moments(RemovalAnswer& answer, const char* quantity, double keep, std::span<const double> values,
                 std::span<const double> shares) {
  const SampledMoments m = sampled_moments(values, shares);
  answer.moments.push_back({quantity, keep, m.mean, m.sd, m.quantiles, NAN, NAN, {}});
}

/// Gradients at the masks of keep 1/2, [sample][node], of loss and log loss.
struct GradientSample {
  std::vector<double> loss, log_loss;
};

}  // namespace

std::optional<RemovalAnswer> sample_removals(const RemovalProblem& problem, const RemovalSettings& s) {
  const auto nodes = static_cast<int>(problem.nodes.size());
  const SamplingSpec sampling{nodes, s.samples, s.seed};
  // Moments of each keep probability, gradients (a backward pass counts as two more), two kinds of paths.
  const auto designs = static_cast<double>(s.keep.size()) + 3 + 2;
  Evaluator evaluator(problem, s, designs * static_cast<double>(s.samples));
  RemovalAnswer answer;
  const NodeMask all(problem.nodes.size(), 1), none(problem.nodes.size(), 0);
  const std::vector<NodeMask> ends{all, none};
  const std::vector<GivenScore> scores = evaluator.scores(ends);
  if (scores.empty()) return std::nullopt;
  answer.full_loss = scores[0].loss, answer.full_accuracy = scores[0].accuracy;
  answer.none_loss = scores[1].loss, answer.none_accuracy = scores[1].accuracy;
  std::vector<std::vector<double>> found;
  for (const double keep : s.keep) {
    const std::vector<NodeMask> masks = moment_masks(sampling, keep);
    answer.samples = std::ssize(masks);
    found.push_back(evaluator.losses(masks));
    if (found.back().empty()) return std::nullopt;
  }
  for (std::size_t k = 0; k < found.size(); ++k)
    add_moments(answer, "loss", s.keep[k], found[k], s.quantiles);
  for (std::size_t k = 0; k < found.size(); ++k)
    add_moments(answer, "log_loss", s.keep[k], logarithms(found[k]), s.quantiles);

  GradientSample gradients;
  for (const NodeMask& mask : moment_masks(sampling, 0.5)) {
    if (evaluator.stopped()) return std::nullopt;
    double loss = 0;
    const std::vector<double> slopes = evaluator.gradients(mask, loss);
    for (const double slope : slopes) {
      gradients.loss.push_back(slope);
      gradients.log_loss.push_back(slope / loss);
    }
    evaluator.count(3);
  }
  const ColumnEstimates slopes = grouped_columns(gradients.loss, nodes),
                        log_slopes = grouped_columns(gradients.log_loss, nodes);
  const PathValues paths =
      sampled_paths(sampling, [&](std::span<const NodeMask> masks) { return evaluator.losses(masks); });
  if (paths.covariance.empty()) return std::nullopt;
  for (std::size_t i = 0; i < problem.nodes.size(); ++i)
    answer.nodes.push_back({slopes.mean[i], slopes.sd[i], log_slopes.mean[i], log_slopes.sd[i],
                            paths.shapley[i], paths.banzhaf[i]});
  answer.covariance = paths.covariance;
  return answer;
}

}  // namespace shoal
