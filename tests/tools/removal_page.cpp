// The page of a network's subsets: what it refuses, and what stands in the text. removal_page.py has the
// rest.
#include "tools/removal_page.h"

#include <doctest/doctest.h>

#include <limits>

#include "engine/spec.h"

namespace {

using shoal::RemovalPage;

const std::vector<float> kPoints{0.1f, 0.2f, -0.9f, 0.9f};
const std::vector<std::int32_t> kLabels{1, 0};

/// 2-3-2, with a decimal that no float is.
RemovalPage small_page() {
  RemovalPage page{
      .title = "A page", .data_name = "circle", .points = kPoints, .labels = kLabels, .radius = 0.8};
  page.layers = {{2, 3, {0.1f, 1, 2, 3, 4, 5}, {0, 1, 2}}, {3, 2, {1, 2, 3, 4, 5, 6}, {0, 0}}};
  return page;
}

std::string refusal(const RemovalPage& page) {
  try {
    shoal::removal_page(page);
  } catch (const shoal::SpecError& e) { return e.what(); }
  return "";
}

template <class Change>
std::string refusal_after(Change&& change) {
  RemovalPage page = small_page();
  change(page);
  return refusal(page);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("a page holds its network, bit for bit") {
  const std::string text = shoal::removal_page(small_page());
  CHECK(has(text, "<title>A page</title>"));
  CHECK(has(text, R"("weight":[0.10000000149011612,1.0,2.0,3.0,4.0,5.0],"bias":[0.0,1.0,2.0])"));
  CHECK(has(text, R"("classes":["outside","inside"])"));
  CHECK(has(text, R"("box":[-1.0,-1.0,1.0,1.0])"));
  CHECK_FALSE(has(text, "@SHOAL_"));
  CHECK(text == shoal::removal_page(small_page()));
}

TEST_CASE("a page without a circle shows where the points lie") {
  RemovalPage page = small_page();
  page.radius.reset();
  page.title.clear();
  const std::string text = shoal::removal_page(page);
  CHECK(has(text, "<title>Node removal: 2-3-2 on circle</title>"));
  CHECK(has(text, R"("classes":["class 0","class 1"])"));
  CHECK(has(text, R"("radius":null)"));
  CHECK(has(text, R"("box":[-0.89)"));
}

TEST_CASE("nobody's text becomes part of the page's own") {
  RemovalPage page = small_page();
  page.title = "</title><script>bad()</script> & \"@SHOAL_DATA@\" \xff";
  page.data_name = "</script><script>bad()</script><!--";
  page.provenance = {{"command", "</script> @SHOAL_TITLE@"}};
  const std::string text = shoal::removal_page(page);
  CHECK_FALSE(has(text, "<script>bad"));
  CHECK_FALSE(has(text, "</script><script>bad"));
  CHECK(has(text, "&lt;script&gt;bad()&lt;/script&gt; &amp; &quot;@SHOAL_DATA@&quot; \xef\xbf\xbd"));
  CHECK(has(text, R"(["command","\u003c/script> @SHOAL_TITLE@"])"));
}

TEST_CASE("a page says in a sentence what it cannot show") {
  CHECK(refusal(small_page()) == "");
  CHECK(has(refusal_after([](RemovalPage& p) { p.layers.clear(); }), "none is given"));
  CHECK(has(refusal_after([](RemovalPage& p) {
              p.layers = {{784, 3, std::vector<float>(784 * 3), {0, 0, 0}}, p.layers[1]};
            }),
            "this one is 784-3-2"));
  CHECK(has(refusal_after([](RemovalPage& p) {
              p.layers[1] = {3, 3, std::vector<float>(9), {0, 0, 0}};
            }),
            "this one is 2-3-3"));
  CHECK(has(refusal_after([](RemovalPage& p) {
              p.layers = {{2, 2, {1, 2, 3, 4}, {0, 0}}};
            }),
            "no hidden layer"));
  CHECK(has(refusal_after([](RemovalPage& p) { p.layers[0].bias.pop_back(); }), "does not fit"));
  CHECK(has(refusal_after([](RemovalPage& p) {
              p.layers[1] = {4, 2, std::vector<float>(8), {0, 0}};
            }),
            "layer 1 of the network does not fit"));
  CHECK(has(
      refusal_after([](RemovalPage& p) { p.layers[1].weight[2] = std::numeric_limits<float>::quiet_NaN(); }),
      "layer 1 of the network holds a number that is not finite"));
  CHECK(has(refusal_after([](RemovalPage& p) {
              p.layers = {{2, 129, std::vector<float>(258), std::vector<float>(129)},
                          {129, 2, std::vector<float>(258), {0, 0}}};
            }),
            "room for 128 nodes"));
  CHECK(has(refusal_after([](RemovalPage& p) { p.points = {}, p.labels = {}; }), "1 to 100000 points"));
  CHECK(has(refusal_after([](RemovalPage& p) { p.points = p.points.first(3); }), "4 coordinates"));
  const std::vector<std::int32_t> labels{1, 2};
  CHECK(has(refusal_after([&](RemovalPage& p) { p.labels = labels; }), "labels 0 and 1, not 2"));
  const std::vector<float> infinite{0, 0, 0, std::numeric_limits<float>::infinity()};
  CHECK(has(refusal_after([&](RemovalPage& p) { p.points = infinite; }), "not finite"));
  CHECK(has(refusal_after([](RemovalPage& p) { p.radius = -1.0; }), "above 0, not -1"));
  CHECK(
      has(refusal_after([](RemovalPage& p) { p.scale = std::numeric_limits<float>::infinity(); }), "finite"));
  CHECK(has(refusal_after([](RemovalPage& p) { p.inside = 2; }), "0 or 1, not 2"));
  CHECK(has(refusal_after([](RemovalPage& p) { p.classes = {"one"}; }), "two names"));
}

}  // namespace
