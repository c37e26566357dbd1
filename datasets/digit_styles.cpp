#include "datasets/digit_styles.h"

#include <array>

namespace shoal {
namespace {

using P = PenPoint;
using Style = std::span<const PenPoint>;

constexpr P kZeroClosed[] = {{50, 2},  {22, 16}, {9, 50},  {20, 84}, {50, 98},
                             {80, 84}, {91, 50}, {78, 16}, {50, 2}};
constexpr P kZeroOpen[] = {{62, 4},  {32, 12}, {12, 48}, {20, 84}, {48, 98},
                           {78, 80}, {88, 42}, {72, 10}, {46, 6}};
constexpr P kZeroLooped[] = {{70, 14}, {40, 4},  {14, 34}, {14, 74}, {42, 98},
                             {76, 86}, {90, 48}, {76, 14}, {50, 6},  {36, 20}};

constexpr P kOneBar[] = {{50, 2}, {50, 50}, {50, 98}};
constexpr P kOneSlanted[] = {{62, 2}, {52, 50}, {40, 98}};
constexpr P kOneFlag[] = {{30, 24}, {54, 2}, {54, 2}, {54, 50}, {54, 98}};
constexpr P kOneFoot[] = {{30, 22}, {52, 3}, {52, 3}, {52, 96}, kLift, {26, 97}, {78, 97}};

constexpr P kTwoPlain[] = {{14, 24}, {30, 6},  {56, 2},  {80, 14}, {82, 36},
                           {60, 64}, {12, 96}, {12, 96}, {50, 95}, {90, 94}};
constexpr P kTwoLooped[] = {{16, 22}, {38, 4}, {68, 4},  {84, 24}, {72, 52}, {40, 84},
                            {16, 96}, {8, 84}, {26, 76}, {58, 92}, {94, 90}};
constexpr P kTwoFlat[] = {{18, 14}, {50, 2},  {80, 18}, {72, 46}, {40, 76},
                          {14, 97}, {14, 97}, {50, 92}, {88, 98}};

constexpr P kThreeRound[] = {{16, 14}, {44, 2},  {76, 10}, {78, 32}, {58, 46}, {34, 49},
                             {34, 49}, {66, 54}, {86, 74}, {68, 94}, {38, 98}, {10, 86}};
constexpr P kThreeFlat[] = {{14, 5},  {80, 4},  {80, 4},  {42, 42}, {42, 42},
                            {74, 50}, {86, 72}, {68, 94}, {38, 98}, {12, 86}};
constexpr P kThreeLooped[] = {{18, 10}, {52, 2},  {76, 18}, {60, 42}, {40, 50}, {42, 42},
                              {60, 48}, {84, 66}, {72, 92}, {40, 98}, {12, 90}};

constexpr P kFourOpen[] = {{20, 6}, {16, 54}, {16, 54}, {46, 55}, {86, 52},
                           kLift,   {78, 4},  {75, 50}, {72, 98}};
constexpr P kFourClosed[] = {{64, 98}, {66, 50}, {68, 3},  {68, 3}, {40, 36},
                             {10, 66}, {10, 66}, {50, 66}, {92, 64}};
constexpr P kFourRound[] = {{24, 4}, {16, 34}, {30, 54}, {60, 52}, {80, 40},
                            kLift,   {82, 6},  {76, 50}, {66, 98}};

constexpr P kFiveOneStroke[] = {{84, 4},  {28, 5},  {28, 5},  {20, 44}, {20, 44},
                                {52, 38}, {82, 56}, {80, 84}, {52, 98}, {14, 88}};
constexpr P kFiveTwoStrokes[] = {{26, 6},  {22, 46}, {50, 42}, {78, 60}, {74, 88}, {46, 98},
                                 {12, 90}, kLift,    {26, 7},  {56, 6},  {88, 2}};
constexpr P kFiveRound[] = {{80, 8}, {40, 6}, {24, 26}, {44, 46}, {72, 60}, {76, 84}, {48, 98}, {16, 88}};

constexpr P kSixCurved[] = {{74, 4},  {40, 20}, {18, 54}, {20, 86}, {48, 98},
                            {76, 86}, {80, 66}, {56, 52}, {30, 62}, {19, 78}};
constexpr P kSixStraight[] = {{62, 2},  {36, 34}, {18, 70}, {34, 96}, {62, 96},
                              {78, 76}, {64, 58}, {38, 60}, {20, 76}};
constexpr P kSixTall[] = {{54, 2}, {28, 36}, {16, 78}, {38, 98}, {70, 92}, {76, 72}, {54, 62}, {22, 80}};

constexpr P kSevenPlain[] = {{12, 7}, {48, 6}, {86, 4}, {86, 4}, {60, 46}, {40, 98}};
constexpr P kSevenBarred[] = {{12, 8}, {86, 4}, {86, 4}, {60, 50}, {44, 98}, kLift, {34, 52}, {80, 48}};
constexpr P kSevenHooked[] = {{12, 24}, {14, 7}, {14, 7}, {50, 8}, {86, 6}, {86, 6}, {58, 48}, {50, 98}};

constexpr P kEightOneStroke[] = {{76, 14}, {48, 2},  {24, 18}, {34, 40}, {68, 60}, {80, 82},
                                 {50, 98}, {22, 82}, {32, 60}, {66, 40}, {78, 20}, {72, 10}};
constexpr P kEightTwoRings[] = {{50, 48}, {26, 38}, {26, 14}, {50, 2},  {74, 14}, {74, 38}, {50, 48},
                                {22, 60}, {20, 86}, {50, 98}, {80, 86}, {78, 60}, {50, 48}};
constexpr P kEightOpen[] = {{84, 8},  {50, 3},  {26, 22}, {46, 44}, {74, 66},
                            {66, 94}, {34, 96}, {24, 74}, {52, 46}, {86, 12}};

constexpr P kNineStraight[] = {{80, 18}, {54, 2},  {24, 14}, {22, 40}, {48, 52},
                               {74, 40}, {80, 18}, {80, 18}, {76, 58}, {68, 98}};
constexpr P kNineCurved[] = {{80, 22}, {54, 3},  {24, 20}, {26, 46}, {52, 52},
                             {74, 38}, {80, 22}, {80, 66}, {62, 94}, {30, 95}};
constexpr P kNineSlanted[] = {{84, 10}, {50, 4},  {22, 26}, {34, 48}, {64, 40},
                              {84, 10}, {84, 10}, {68, 54}, {46, 98}};

constexpr std::array<Style, 3> kZero = {kZeroClosed, kZeroOpen, kZeroLooped};
constexpr std::array<Style, 4> kOne = {kOneBar, kOneSlanted, kOneFlag, kOneFoot};
constexpr std::array<Style, 3> kTwo = {kTwoPlain, kTwoLooped, kTwoFlat};
constexpr std::array<Style, 3> kThree = {kThreeRound, kThreeFlat, kThreeLooped};
constexpr std::array<Style, 3> kFour = {kFourOpen, kFourClosed, kFourRound};
constexpr std::array<Style, 3> kFive = {kFiveOneStroke, kFiveTwoStrokes, kFiveRound};
constexpr std::array<Style, 3> kSix = {kSixCurved, kSixStraight, kSixTall};
constexpr std::array<Style, 3> kSeven = {kSevenPlain, kSevenBarred, kSevenHooked};
constexpr std::array<Style, 3> kEight = {kEightOneStroke, kEightTwoRings, kEightOpen};
constexpr std::array<Style, 3> kNine = {kNineStraight, kNineCurved, kNineSlanted};

constexpr std::array<std::span<const Style>, 10> kDigits = {kZero, kOne, kTwo,   kThree, kFour,
                                                            kFive, kSix, kSeven, kEight, kNine};

}  // namespace

std::span<const Style> digit_styles(int digit) { return kDigits[static_cast<std::size_t>(digit)]; }

}  // namespace shoal
