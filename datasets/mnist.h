#pragma once
// MNIST and data sets that come as the same four IDX files of 28 x 28 images in ten classes. Nothing is ever
// downloaded. The files are known by their SHA-256: one that belongs to the other data set is an error
// (mirrors have served MNIST as Fashion-MNIST), an unknown one a warning in the data set.
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "datasets/dataset.h"

namespace shoal {

/// Loads "mnist" or "fashion-mnist". Not found: the error lists the folders searched and the names expected.
Dataset load_mnist_like(const DatasetSpec&);

/// The folders that are searched for `name`, first one first. In spec.data_dir only, when that is given;
/// otherwise in $SHOAL_DATA, datasets/data and the user's data folder ($XDG_DATA_HOME or ~/.local/share, in
/// shoal/). In each, the subfolder of the set's name comes before the folder itself, because the files of
/// both sets have the same names; torchvision's MNIST/raw and FashionMNIST/raw are known too.
std::vector<std::filesystem::path> dataset_folders(std::string_view name, const DatasetSpec&);

/// The first of those folders that has all four files, if any has: is the data set there?
std::optional<std::filesystem::path> find_dataset(std::string_view name, const DatasetSpec&);

}  // namespace shoal
