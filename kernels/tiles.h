// How the work of an op is cut into tiles, one per thread block of a device. Pure functions of the slabs;
// TileShape says how many rows a device's tiles have.
#pragma once

#include <span>
#include <vector>

#include "kernels/ops.h"
#include "kernels/slab.h"

namespace shoal {

/// The tiles of the slabs whose numbers are `chosen`, those with the most multiplications first (so that no
/// large one is left for the end), equal ones in the order of `chosen`, then panel, then row: neighbours
/// share weights. Slab numbers in the tiles count from slabs[0].
///
///   forward   row: samples, up to row_capacity                        panel: 64 columns of the slab
///   backward  row: samples; slabs that read the data give no tiles    panel: 64 input columns of the slab
///   update    row: inputs, up to fan_in                               panel: 64 columns of the slab
///   moments   row: 0                                                  panel: 64 columns of the slab
std::vector<Tile> forward_tiles(std::span<const Slab> slabs, std::span<const int> chosen, int tile_rows);
std::vector<Tile> backward_tiles(std::span<const Slab> slabs, std::span<const int> chosen, int tile_rows);
std::vector<Tile> update_tiles(std::span<const Slab> slabs, std::span<const int> chosen, int tile_rows);
std::vector<Tile> moment_tiles(std::span<const Slab> slabs, std::span<const int> chosen);

/// The tiles of Removal: per head one for the whole model and one for each 64 neurons below it, those with
/// the most neurons first.
std::vector<RemovalTile> removal_tiles(std::span<const Slab> slabs, std::span<const Head> heads);

}  // namespace shoal
