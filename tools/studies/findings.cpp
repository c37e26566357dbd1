#include "tools/studies/findings.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tools/value_list.h"

namespace shoal {
namespace {

std::string cell_of(const Field& field) {
  if (const auto* word = std::get_if<std::string>(&field.value)) return *word;
  if (const auto* count = std::get_if<std::int64_t>(&field.value)) return std::to_string(*count);
  const double number = std::get<double>(field.value);
  return std::isfinite(number) ? to_text(number) : std::string();
}

}  // namespace

std::string csv_of(std::span<const Record> records) {
  std::string text;
  const auto line = [&text](const Record& record, auto&& cell) {
    const char* separator = "";
    for (const Field& field : record) text += separator + cell(field), separator = ",";
    text += '\n';
  };
  if (!records.empty()) line(records.front(), [](const Field& field) { return field.name; });
  for (const Record& record : records) line(record, cell_of);
  return text;
}

void tell(Report& report, std::string_view type, const std::string& data, std::span<const Record> records) {
  for (const Record& record : records) {
    nlohmann::ordered_json fields{{"data", data}};
    for (const Field& field : record)
      std::visit([&](const auto& value) { fields[field.name] = value; }, field.value);
    report.event(type, fields);
  }
}

void publish(const Population& p, std::string_view file, std::string_view type,
             std::span<const Record> records) {
  p.directory.write(std::string(file), csv_of(records));
  tell(p.report, type, p.data.name, records);
}

void say_verdict(const RunDirectory& directory, const std::string& data,
                 std::span<const std::string> sentences, Report& report) {
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  directory.write("verdict.txt", text);
  report.event("verdict", {{"data", data}, {"sentences", std::vector(sentences.begin(), sentences.end())}});
  report.print("\n" + text);
}

std::string words_for(const std::string& data) {
  return data == "mnist" ? "MNIST" : data == "fashion-mnist" ? "FashionMNIST" : data;
}

std::string where_of(const Population& p) {
  return fmt::format("{}, {} epoch{}", words_for(p.data.name), p.spec.epochs, p.spec.epochs == 1 ? "" : "s");
}

}  // namespace shoal
