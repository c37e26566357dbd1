#pragma once
// IDX, the format of MNIST: a big-endian header (0, 0, type, number of dimensions, each dimension in 32
// bits), then the values. Only type 8 (unsigned bytes) is read: images have three dimensions, labels one. A
// file may be gzipped, which its content says, not its name. Every defect is a DataError of one sentence that
// names the file.
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace shoal {

struct IdxImages {
  std::int64_t count = 0;
  int height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  // [count][height][width]
  std::string sha256;                // of the whole uncompressed file
};

struct IdxLabels {
  std::vector<std::uint8_t> labels;  // [count]
  std::string sha256;
};

/// Memory is taken only after the header's sizes were found to fit into the file; an empty set is an error.
IdxImages read_idx_images(const std::filesystem::path& file);
IdxLabels read_idx_labels(const std::filesystem::path& file);

/// `pixels` is [count][height][width]. Gzipped if the name ends with .gz.
void write_idx_images(const std::filesystem::path& file, std::span<const std::uint8_t> pixels, int height,
                      int width);
/// Labels must be 0..255.
void write_idx_labels(const std::filesystem::path& file, std::span<const std::int32_t> labels);

/// Images with their labels. `classes` 0: no bound on the labels. The files' names are for messages: the
/// counts differ, a label is not below `classes`.
Split join_idx(IdxImages images, const std::filesystem::path& image_file, const IdxLabels& labels,
               const std::filesystem::path& label_file, int classes);

/// The two IDX files beside each other that make a split, read and joined; their checksums are added to
/// `checksums`.
Split read_idx_split(const std::filesystem::path& image_file, const std::filesystem::path& label_file,
                     int classes, int* height, int* width, std::vector<Checksum>& checksums);

}  // namespace shoal
