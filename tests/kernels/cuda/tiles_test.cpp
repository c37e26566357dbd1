// Tiles cover every result exactly once, the largest first.
#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <tuple>
#include <vector>

#include "kernels/tiles.h"

using namespace shoal;

namespace {

constexpr int kRows = 128;

Slab slab(int fan_in, int columns, int rows, int input) {
  Slab s{};
  s.fan_in = fan_in, s.columns = columns, s.width = columns, s.row_capacity = rows, s.input = input;
  return s;
}

/// A wide layer, a narrow one, their output layers, and one without a single full panel or row of tiles.
const std::vector<Slab> kSlabs{slab(784, 208, 300, -1), slab(784, 16, 300, -1), slab(200, 16, 300, 0),
                               slab(130, 80, 128, 1), slab(1, 16, 1, 3)};
const std::vector<int> kAll{0, 1, 2, 3, 4};

using Place = std::tuple<int, int, int>;

std::set<Place> as_set(const std::vector<Tile>& tiles) {
  std::set<Place> places;
  for (const Tile& t : tiles) places.insert({t.slab, t.panel, t.row});
  REQUIRE(places.size() == tiles.size());
  return places;
}

std::set<Place> grid(const std::vector<int>& slabs, int rows_of(const Slab&), int columns_of(const Slab&)) {
  std::set<Place> places;
  for (int i : slabs)
    for (int column = 0; column < columns_of(kSlabs[static_cast<std::size_t>(i)]); column += kPanelWidth)
      for (int row = 0; row < rows_of(kSlabs[static_cast<std::size_t>(i)]); row += kRows)
        places.insert({i, column / kPanelWidth, row});
  return places;
}

}  // namespace

TEST_CASE("tiles cover every result exactly once") {
  const auto samples = [](const Slab& s) { return s.row_capacity; };
  const auto inputs = [](const Slab& s) { return s.fan_in; };
  const auto one = [](const Slab&) { return 1; };
  const auto columns = [](const Slab& s) { return s.columns; };
  CHECK(as_set(forward_tiles(kSlabs, kAll, kRows)) == grid(kAll, samples, columns));
  CHECK(as_set(update_tiles(kSlabs, kAll, kRows)) == grid(kAll, inputs, columns));
  CHECK(as_set(moment_tiles(kSlabs, kAll)) == grid(kAll, one, columns));
}

TEST_CASE("backward leaves out the slabs that read the data") {
  const auto tiles = as_set(backward_tiles(kSlabs, kAll, kRows));
  CHECK(tiles ==
        grid(
            {2, 3, 4}, [](const Slab& s) { return s.row_capacity; }, [](const Slab& s) { return s.fan_in; }));
}

TEST_CASE("only the chosen slabs get tiles") {
  const std::vector<int> chosen{3};
  for (const Tile& t : forward_tiles(kSlabs, chosen, kRows)) CHECK(t.slab == 3);
  CHECK(forward_tiles(kSlabs, {}, kRows).empty());
}

TEST_CASE("the tile with the most work comes first, and equal ones stay in order") {
  const std::vector<Tile> tiles = forward_tiles(kSlabs, kAll, kRows);
  const auto work = [](const Tile& t) {
    const Slab& s = kSlabs[static_cast<std::size_t>(t.slab)];
    const int left = s.row_capacity - t.row;
    return static_cast<std::int64_t>(left < kRows ? left : kRows) * panel_width(s, t.panel) * s.fan_in;
  };
  for (std::size_t i = 1; i < tiles.size(); ++i) {
    CHECK(work(tiles[i - 1]) >= work(tiles[i]));
    if (work(tiles[i - 1]) == work(tiles[i])) {
      const Tile &a = tiles[i - 1], &b = tiles[i];
      CHECK(std::tuple(a.slab, a.panel, a.row) < std::tuple(b.slab, b.panel, b.row));
    }
  }
  CHECK(tiles.front().slab == 0);
  CHECK(tiles.back().slab == 4);
}
