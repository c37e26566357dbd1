// What the numbers of the Adam study answer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/studies/adam_rows.h"

namespace shoal {
namespace {

using Rows = std::span<const AdamRow>;

std::string_view words_of(const AdamRow& row) { return adam_variants()[row.variant].words; }

const AdamRow* find(Rows rows, std::string_view name) {
  for (const AdamRow& row : rows)
    if (adam_variants()[row.variant].name == name && !row.loss.empty()) return &row;
  return nullptr;
}

/// "12 jumps in 480 low epochs (25 in 1000), the largest to 310 times the loss"
std::string jumps_of(const AdamRow& row) {
  if (row.low.empty()) return fmt::format("never below {:g}", kLowLoss);
  std::string text = fmt::format("{} jump{} in {} epochs ({:.3g} in 1000)", row.jumps,
                                 row.jumps == 1 ? "" : "s", row.low.size(), jump_rate(row));
  if (row.jumps > 0) text += fmt::format(", the largest to {:.3g} times the loss", row.largest_jump);
  return text;
}

std::string noise_sentence(Rows rows) {
  const AdamRow* adam = find(rows, "adam");
  if (!adam) return {};
  const Band& end = adam->loss.back();
  std::string text = fmt::format(
      "Is Adam noisy at very low loss? In epochs that began below {:g}, Adam with its usual settings: {}; {} "
      "of "
      "{} models had one. Over its models the loss ends between {:.2g} and {:.2g} (median {:.2g}; the lowest "
      "of "
      "any epoch {:.2g}).",
      kLowLoss, jumps_of(*adam), adam->jumping_models, adam->models - adam->diverged, end.min, end.max,
      end.median, adam->lowest.min);
  if (const AdamRow* momentum = find(rows, "momentum"))
    text += fmt::format(" SGD with momentum, the control: {}; it ends between {:.2g} and {:.2g}.",
                        jumps_of(*momentum), momentum->loss.back().min, momentum->loss.back().max);
  return text;
}

std::string others_sentence(Rows rows) {
  std::string text;
  for (const char* name : {"adamax", "amsgrad", "adam-lr-tenth"})
    if (const AdamRow* row = find(rows, name))
      text += fmt::format("{}{}: {}; median loss at the end {:.2g}", text.empty() ? "" : ". ", words_of(*row),
                          jumps_of(*row), row->loss.back().median);
  return text.empty() ? text : text + ".";
}

/// More than twice the rate, and at least three jumps.
bool noisier(const AdamRow& a, const AdamRow& b) {
  return a.jumps >= 3 && jump_rate(a) > 2 * std::max(0.0, b.low.empty() ? 0.0 : jump_rate(b));
}

std::string eps_sentence(Rows rows) {
  const AdamRow *usual = find(rows, "adam"), *small = find(rows, "adam-eps-1e-12"),
                *large = find(rows, "adam-eps-1e-5"), *short_usual = find(rows, "adam-beta2-0.99"),
                *short_large = find(rows, "adam-beta2-0.99-eps-1e-5");
  if (!usual || !small || !large || !short_usual || !short_large) return {};
  const bool any = usual->jumps >= 3 || short_usual->jumps >= 3;
  const bool calms = (noisier(*usual, *large) || usual->jumps < 3) && noisier(*short_usual, *short_large);
  return fmt::format(
      "Is it eps? {}. With eps 1e-12, 1e-8 and 1e-5 there are {:.3g}, {:.3g} and {:.3g} jumps in 1000 low "
      "epochs, "
      "and with beta2 0.99 and eps 1e-8 and 1e-5 {:.3g} and {:.3g}. At the end {:.1f} % of the parameters "
      "(median over the models) have sqrt(v) below 1e-8 with eps 1e-8, and {:.1f} % below 1e-5 with eps "
      "1e-5.",
      !any ? "There is too little noise here to tell"
      : calms
          ? "A large eps ends it, as it stops the divisor from falling; that eps is small does not cause it"
          : "No",
      jump_rate(*small), jump_rate(*usual), jump_rate(*large), jump_rate(*short_usual),
      jump_rate(*short_large), 100 * usual->below_eps, 100 * large->below_eps);
}

std::string memory_sentence(Rows rows) {
  const AdamRow *usual = find(rows, "adam"), *brief = find(rows, "adam-beta2-0.99"),
                *longer = find(rows, "adam-beta2-0.9999"), *never = find(rows, "amsgrad-beta2-0.99");
  if (!usual || !brief || !longer || !never) return {};
  const bool ordered = noisier(*brief, *usual) && !noisier(*longer, *usual);
  // AMSGrad is slow down there: compare where both have been.
  const Jumps forgets = jumps_from(*brief, never->lowest.min), keeps = jumps_from(*never, 0);
  const auto rate = [](const Jumps& j) {
    return static_cast<double>(j.jumps) / static_cast<double>(std::max<std::int64_t>(1, j.epochs));
  };
  const bool forgetting = forgets.jumps >= 3 && rate(forgets) > 2 * rate(keeps);
  return fmt::format(
      "Is it beta2, the memory of 1/(1 - beta2) steps? {}. With beta2 0.99, 0.999 and 0.9999 ({:.2g}, {:.2g} "
      "and "
      "{:.2g} epochs): {:.3g}, {:.3g} and {:.3g} jumps in 1000 low epochs, although one batch after a calm "
      "can move "
      "a weight by at most {:.3g}, {:.3g} and {:.3g} learning rates. AMSGrad with beta2 0.99, the same mean, "
      "which as a divisor may not fall, gets down to {:.2g}: {} jumps in {} epochs on the way, against {} in "
      "{} of "
      "Adam that began as high. {}",
      ordered ? "Yes: the shorter it is, the more often the loss jumps" : "Not in this order",
      brief->memory_epochs, usual->memory_epochs, longer->memory_epochs, jump_rate(*brief), jump_rate(*usual),
      jump_rate(*longer), largest_kick(brief->optimizer), largest_kick(usual->optimizer),
      largest_kick(longer->optimizer), never->lowest.min, keeps.jumps, keeps.epochs, forgets.jumps,
      forgets.epochs,
      forgetting ? "So the forgetting makes the noise, not the size of one kick."
                 : "So forgetting alone does not explain it here.");
}

/// ": the largest sqrt(v) so far is ..."
std::string room_of(const AdamRow& row) {
  return fmt::format(
      " the largest sqrt(v) so far is {:.3g} times the divisor (rms over the parameters) in the median "
      "before the "
      "jumps of {}, {:.3g} times before its other low epochs",
      row.room_before_jumps, words_of(row), row.room_otherwise);
}

std::string room_sentence(Rows rows) {
  const AdamRow *usual = find(rows, "adam"), *most = nullptr;
  for (const AdamRow& row : rows)
    if (row.optimizer.rule == UpdateRule::adam && row.jumps > (most ? most->jumps : 0)) most = &row;
  if (!usual || !std::isfinite(usual->fading)) return {};
  std::string text = fmt::format(
      "What happens between jumps: with the usual settings sqrt(v) falls by {:.2e} a step and the loss by "
      "{:.2e}. "
      "Forgetting alone makes sqrt(v) fall by (1 - beta2)/2 = {:.2e}: {}.",
      usual->fading, usual->decline, (1 - usual->optimizer.beta2) / 2,
      std::abs(usual->fading * 2 / (1 - usual->optimizer.beta2) - 1) < 0.1
          ? "new gradients no longer count in v, it only fades"
          : "here v does not only fade");
  if (!most) return text;
  text +=
      " A jump comes when the divisor sqrt(v) + eps has fallen too far below the gradients that still "
      "occur:" +
      room_of(*most);
  if (most != usual && usual->jumps > 0) text += ";" + room_of(*usual);
  return text + ".";
}

}  // namespace

std::vector<std::string> adam_verdict(Rows rows) {
  std::vector<std::string> sentences;
  std::vector<std::string> shapes;
  for (const AdamRow& row : rows)
    if (std::find(shapes.begin(), shapes.end(), row.hidden) == shapes.end()) shapes.push_back(row.hidden);
  for (const std::string& shape : shapes) {
    const auto first =
        std::find_if(rows.begin(), rows.end(), [&](const AdamRow& r) { return r.hidden == shape; });
    const auto last = std::find_if(first, rows.end(), [&](const AdamRow& r) { return r.hidden != shape; });
    const Rows mine(first, last);
    for (std::string sentence : {noise_sentence(mine), others_sentence(mine), memory_sentence(mine),
                                 eps_sentence(mine), room_sentence(mine)})
      if (!sentence.empty())
        sentences.push_back(shapes.size() > 1 ? fmt::format("Width {}: {}", shape, sentence) : sentence);
  }
  if (sentences.empty())
    sentences.push_back("No model came through an epoch: there is nothing to answer with.");
  return sentences;
}

}  // namespace shoal
