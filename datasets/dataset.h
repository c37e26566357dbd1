#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/error.h"

namespace shoal {

/// A file that data came from: its name (no folders) and the SHA-256 of its uncompressed bytes, 64
/// hexadecimal digits.
struct Checksum {
  std::string file;
  std::string sha256;
};

/// One part of a data set: `count` samples of `features` values each, and one label a sample.
/// Pixels stay uint8 when the source is uint8 (47 MB for MNIST instead of 188): exactly one of `bytes` and
/// `values` is used.
struct Split {
  std::int64_t count = 0;
  int features = 0;
  std::vector<std::uint8_t> bytes = {};   // [count][features], or empty
  std::vector<float> values = {};         // [count][features], or empty
  std::vector<std::int32_t> labels = {};  // [count], 0 .. classes-1
};

struct Dataset {
  std::string name = {};    // "mnist", "digits", or the file's stem
  std::string source = {};  // where it came from, in words: a path, or "built in, seed 1, difficulty 1"
  int features = 0;
  int classes = 0;
  int image_width = 0;  // 0: not an image
  Split train = {}, test = {};
  bool cut = false;  // the source is one lump of samples; the test part was cut off from it
  std::vector<Checksum> checksums = {};
  std::vector<std::string> warnings = {};  // one sentence each, for the user's eyes
};

/// What a person may set about where data come from and how built-in data are drawn.
struct DatasetSpec {
  std::string name = {};                // one of list_datasets() (datasets/registry.h), or the path of a file
  std::filesystem::path data_dir = {};  // where to look; empty: the usual places (datasets/mnist.h)
  std::uint64_t seed = 1;               // of built-in data
  double difficulty = 1.0;              // of `digits`: scales the distortions, 0 .. 3
  double radius = 0;                    // of `circle`; 0: balanced, half of the points inside
  std::int64_t train_count = 0, test_count = 0;  // 0: all there are; otherwise the first that many
  std::int64_t hold_out = 0;  // the last so many training samples take the place of the test part; 0: none
};

/// Loads or draws a data set. Throws DataError.
Dataset load_dataset(const DatasetSpec&);

/// Mean and standard deviation (divided by n, not n - 1) of all values of a split; bytes count as value /
/// 255.
struct PixelScale {
  double mean = 0, sd = 0;
};

/// Bytes are counted exactly (64-bit counts of each of the 256 values); floats take two passes in double.
/// An empty split has mean 0 and sd 0.
PixelScale pixel_scale(const Split&);

}  // namespace shoal
