#include "kernels/tiles.h"

#include <algorithm>
#include <cstdint>

namespace shoal {
namespace {

struct Weighed {
  std::int64_t work;  // multiplications
  Tile tile;
};

int width_of_panel(int columns, int panel) { return std::min(kPanelWidth, columns - panel * kPanelWidth); }

/// Cuts a matrix of `rows` x `columns` results, each a sum of `terms` products.
void cut(std::vector<Weighed>& out, int slab, int rows, int columns, int terms, int tile_rows) {
  for (int panel = 0; panel * kPanelWidth < columns; ++panel)
    for (int row = 0; row < rows; row += tile_rows) {
      const std::int64_t results =
          static_cast<std::int64_t>(std::min(tile_rows, rows - row)) * width_of_panel(columns, panel);
      out.push_back({results * terms, {slab, panel, row}});
    }
}

std::vector<Tile> largest_first(std::vector<Weighed> weighed) {
  std::stable_sort(weighed.begin(), weighed.end(),
                   [](const Weighed& a, const Weighed& b) { return a.work > b.work; });
  std::vector<Tile> tiles;
  tiles.reserve(weighed.size());
  for (const Weighed& w : weighed) tiles.push_back(w.tile);
  return tiles;
}

}  // namespace

std::vector<Tile> forward_tiles(std::span<const Slab> slabs, std::span<const int> chosen, int tile_rows) {
  std::vector<Weighed> tiles;
  for (int i : chosen) cut(tiles, i, slabs[i].row_capacity, slabs[i].columns, slabs[i].fan_in, tile_rows);
  return largest_first(std::move(tiles));
}

std::vector<Tile> backward_tiles(std::span<const Slab> slabs, std::span<const int> chosen, int tile_rows) {
  std::vector<Weighed> tiles;
  for (int i : chosen)
    if (slabs[i].input >= 0)
      cut(tiles, i, slabs[i].row_capacity, round_up(slabs[i].fan_in, kBlockWidth), slabs[i].columns,
          tile_rows);
  return largest_first(std::move(tiles));
}

std::vector<Tile> update_tiles(std::span<const Slab> slabs, std::span<const int> chosen, int tile_rows) {
  std::vector<Weighed> tiles;
  for (int i : chosen) cut(tiles, i, slabs[i].fan_in, slabs[i].columns, slabs[i].row_capacity, tile_rows);
  return largest_first(std::move(tiles));
}

std::vector<Tile> moment_tiles(std::span<const Slab> slabs, std::span<const int> chosen) {
  std::vector<Weighed> tiles;
  for (int i : chosen) cut(tiles, i, 1, slabs[i].columns, slabs[i].row_capacity, 1);
  return largest_first(std::move(tiles));
}

std::vector<RemovalTile> removal_tiles(std::span<const Slab> slabs, std::span<const Head> heads) {
  struct Sized {
    int work;
    RemovalTile tile;
  };
  std::vector<Sized> sized;
  for (int h = 0; h < static_cast<int>(heads.size()); ++h) {
    const Head& head = heads[static_cast<std::size_t>(h)];
    const int neurons = slabs[static_cast<std::size_t>(head.slab)].fan_in;
    sized.push_back({head.classes, {h, -1}});
    for (int panel = 0; panel * kPanelWidth < neurons; ++panel)
      sized.push_back({head.classes * width_of_panel(neurons, panel), {h, panel}});
  }
  std::stable_sort(sized.begin(), sized.end(),
                   [](const Sized& a, const Sized& b) { return a.work > b.work; });
  std::vector<RemovalTile> tiles;
  for (const Sized& t : sized) tiles.push_back(t.tile);
  return tiles;
}

}  // namespace shoal
