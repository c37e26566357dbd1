#include "datasets/digits.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>
#include <vector>

#include "datasets/digit_styles.h"
#include "datasets/random.h"

namespace shoal {
namespace {

constexpr int kPixels = kDigitSide * kDigitSide;
constexpr std::int64_t kMostDigits = 10'000'000;
constexpr double kLargestDifficulty = 3;

// The distortions at difficulty 1, as standard deviations unless they are called most. Lengths are in pixels,
// those of the pen's points in boxes (a box is a digit's height).
constexpr double kBoxHeight = 20, kBoxWidth = 14;
constexpr double kTurn = 0.030;  // turns: 11 degrees
constexpr double kShear = 0.22, kStretch = 0.13, kShift = 1.1;
constexpr double kPointJitter = 0.035;  // of every point of the pen by itself
constexpr double kWave = 0.028;         // of each of kWaves smooth waves that bend the whole digit
constexpr int kWaves = 4;
constexpr double kThinnest = 0.55, kThickest = 1.75;    // half the pen's width
constexpr double kMostGrain = 0.35, kMostPallor = 0.3;  // ink lost in a pixel, in the whole image

struct Point {
  double x = 0, y = 0;
};

using Path = std::vector<Point>;  // one stroke, points about a pixel apart

double clamped(double v, double low, double high) { return v < low ? low : v > high ? high : v; }

/// The pen's points of one smooth piece, first and last included, joined by Catmull-Rom splines.
void append_spline(std::span<const Point> through, Path& path) {
  constexpr int kSteps = 6;  // between two points; they are at most 10 pixels apart
  const auto last = static_cast<std::ptrdiff_t>(through.size()) - 1;
  const auto at = [&](std::ptrdiff_t i) {
    return through[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(i, 0, last))];
  };
  if (path.empty()) path.push_back(through[0]);
  for (std::ptrdiff_t i = 0; i < last; ++i) {
    const Point a = at(i - 1), b = at(i), c = at(i + 1), d = at(i + 2);
    for (int step = 1; step <= kSteps; ++step) {
      const double t = static_cast<double>(step) / kSteps, t2 = t * t, t3 = t2 * t;
      const double wa = 0.5 * (2 * t2 - t3 - t), wb = 0.5 * (3 * t3 - 5 * t2 + 2),
                   wc = 0.5 * (4 * t2 - 3 * t3 + t), wd = 0.5 * (t3 - t2);
      path.push_back({wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y});
    }
  }
}

/// The strokes of a style in boxes, (0, 0) in the middle, every point of the pen moved by itself.
std::vector<Path> strokes_of(std::span<const PenPoint> style, double jitter, SampleRandom& random) {
  std::vector<Path> strokes(1);
  std::vector<Point> piece;
  const auto finish = [&] {
    if (piece.size() > 1) append_spline(piece, strokes.back());
    piece.clear();
  };
  for (std::size_t i = 0; i < style.size(); ++i) {
    const PenPoint p = style[i];
    if (p.x == kLift.x) {
      finish();
      strokes.emplace_back();
    } else if (i > 0 && style[i - 1].x == p.x && style[i - 1].y == p.y) {
      const Point corner = piece.back();
      finish();
      piece.push_back(corner);
    } else {
      piece.push_back({(p.x / 100.0 - 0.5) * (kBoxWidth / kBoxHeight) + jitter * random.bell(),
                       p.y / 100.0 - 0.5 + jitter * random.bell()});
    }
  }
  finish();
  return strokes;
}

/// A smooth field that bends the digit: a few plane waves of random direction, length and phase.
struct Waves {
  struct Wave {
    double fx, fy, phase, dx, dy;  // frequency in turns a box; displacement in boxes
  };
  std::array<Wave, kWaves> waves;

  Waves(double size, SampleRandom& random) {
    for (Wave& w : waves) {
      w.fx = random.between(-1.1, 1.1);
      w.fy = random.between(-1.1, 1.1);
      w.phase = random.unit();
      w.dx = size * random.bell();
      w.dy = size * random.bell();
    }
  }
  Point bent(Point p) const {
    Point q = p;
    for (const Wave& w : waves) {
      const double s = sine_of_turns(w.fx * p.x + w.fy * p.y + w.phase);
      q.x += w.dx * s;
      q.y += w.dy * s;
    }
    return q;
  }
};

/// Boxes to pixels: stretch, shear, turn, shift.
struct Placement {
  double xx, xy, yx, yy, x0, y0;

  Placement(double size, SampleRandom& random) {
    const double turn = size * kTurn * random.bell(), shear = size * kShear * random.bell();
    const double width = kBoxHeight * clamped(1 + size * kStretch * random.bell(), 0.45, 1.4);
    const double height = kBoxHeight * clamped(1 + size * 0.6 * kStretch * random.bell(), 0.55, 1.25);
    const double c = cosine_of_turns(turn), s = sine_of_turns(turn);
    xx = c * width;
    xy = (-c * shear - s) * height;
    yx = s * width;
    yy = (-s * shear + c) * height;
    x0 = 0.5 * kDigitSide + size * kShift * random.bell();
    y0 = 0.5 * kDigitSide + size * kShift * random.bell();
  }
  Point placed(Point p) const { return {xx * p.x + xy * p.y + x0, yx * p.x + yy * p.y + y0}; }
};

/// Lowers the squared distance of every pixel's centre near the segment a-b to that from the segment.
void mark_segment(std::array<double, kPixels>& squared, Point a, Point b, double reach) {
  const auto first = [&](double v) { return static_cast<int>(clamped(v - reach, 0, kDigitSide)); };
  const auto last = [&](double v) { return static_cast<int>(clamped(v + reach + 1, 0, kDigitSide)); };
  const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
  const double inverse = length2 > 0 ? 1 / length2 : 0;
  for (int row = first(std::min(a.y, b.y)); row < last(std::max(a.y, b.y)); ++row)
    for (int column = first(std::min(a.x, b.x)); column < last(std::max(a.x, b.x)); ++column) {
      const double px = column + 0.5 - a.x, py = row + 0.5 - a.y;
      const double t = clamped((px * dx + py * dy) * inverse, 0, 1);
      const double ex = px - t * dx, ey = py - t * dy;
      double& least = squared[static_cast<std::size_t>(row * kDigitSide + column)];
      least = std::min(least, ex * ex + ey * ey);
    }
}

/// Ink from distances: full inside the pen, fading over a pixel at its edge, grainy; the paper stays 0.
void ink(std::span<std::uint8_t> pixels, const std::array<double, kPixels>& squared, double half_width,
         double difficulty, SampleRandom& random) {
  const double fade = random.between(1.0, 1.5);  // pixels from full to none
  const double pallor = std::min(1.0, difficulty) * kMostPallor * random.unit(),
               grain = std::min(1.0, difficulty) * kMostGrain * random.unit();
  for (int i = 0; i < kPixels; ++i) {
    const double distance = std::sqrt(squared[static_cast<std::size_t>(i)]);
    double value = clamped((half_width - distance) / fade + 0.5, 0, 1);
    if (value > 0) value *= (1 - pallor) * (1 - grain * random.unit());
    pixels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value * 255 + 0.5);
  }
}

void draw_split(Split& split, std::uint64_t seed, int part, double difficulty) {
  split.bytes.resize(static_cast<std::size_t>(split.count) * kPixels);
  split.labels.resize(static_cast<std::size_t>(split.count));
  const auto threads = static_cast<std::int64_t>(std::clamp(std::thread::hardware_concurrency(), 1u, 64u));
  std::vector<std::jthread> pool;
  for (std::int64_t t = 0; t < threads; ++t)
    pool.emplace_back([&split, seed, part, difficulty, from = split.count * t / threads,
                       to = split.count * (t + 1) / threads] {
      for (std::int64_t i = from; i < to; ++i)
        split.labels[static_cast<std::size_t>(i)] =
            draw_digit(std::span(split.bytes).subspan(static_cast<std::size_t>(i) * kPixels, kPixels), seed,
                       part, i, difficulty);
    });
}

Split new_split(std::int64_t wanted, std::int64_t usual) {
  if (wanted < 0 || wanted > kMostDigits)
    throw DataError(fmt::format("{} digits were asked for; 1 to {} can be drawn", wanted, kMostDigits));
  return {.count = wanted == 0 ? usual : wanted, .features = kPixels};
}

}  // namespace

double sine_of_turns(double t) {
  // To a quarter turn either side of zero, where the Taylor polynomial of degree 15 is good to 1e-11.
  double r = t - static_cast<double>(static_cast<std::int64_t>(t));  // -1 .. 1
  if (r > 0.5) r -= 1;
  if (r < -0.5) r += 1;
  if (r > 0.25) r = 0.5 - r;
  if (r < -0.25) r = -0.5 - r;
  const double x = r * 6.283185307179586, x2 = x * x;
  double sum = 1;
  for (int k = 14; k >= 2; k -= 2) sum = 1 - x2 * sum / (k * (k + 1));
  return x * sum;
}

double cosine_of_turns(double t) { return sine_of_turns(t + 0.25); }

int draw_digit(std::span<std::uint8_t> pixels, std::uint64_t seed, int part, std::int64_t index,
               double difficulty) {
  SampleRandom random(seed, static_cast<std::uint64_t>(part), static_cast<std::uint64_t>(index));
  const int digit = random.below(10);
  const auto styles = digit_styles(digit);
  const auto style = styles[static_cast<std::size_t>(random.below(static_cast<int>(styles.size())))];

  std::vector<Path> strokes = strokes_of(style, difficulty * kPointJitter, random);
  const Waves waves(difficulty * kWave, random);
  const Placement placement(difficulty, random);
  const double half_width = random.between(kThinnest, kThickest), reach = half_width + 1;
  std::array<double, kPixels> squared;
  squared.fill(1e6);
  for (Path& path : strokes) {
    for (Point& p : path) p = placement.placed(waves.bent(p));
    for (std::size_t i = 0; i + 1 < path.size(); ++i) mark_segment(squared, path[i], path[i + 1], reach);
  }
  ink(pixels, squared, half_width, difficulty, random);
  return digit;
}

Dataset draw_digits(const DatasetSpec& spec) {
  if (!(spec.difficulty >= 0 && spec.difficulty <= kLargestDifficulty))
    throw DataError(fmt::format("the difficulty of digits is {}; it must be 0 to {}", spec.difficulty,
                                kLargestDifficulty));
  Dataset data{.name = "digits",
               .source = fmt::format("built in, seed {}, difficulty {}", spec.seed, spec.difficulty),
               .features = kPixels,
               .classes = 10,
               .image_width = kDigitSide,
               .train = new_split(spec.train_count, kDigitTrainCount),
               .test = new_split(spec.test_count, kDigitTestCount)};
  draw_split(data.train, spec.seed, 0, spec.difficulty);
  draw_split(data.test, spec.seed, 1, spec.difficulty);
  return data;
}

}  // namespace shoal
