#include "tests/simulator/truth_file.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/simulator/encode.hpp"

namespace simulator {
namespace {

void append(std::string& line, const Value& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        line += std::to_string(*number);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
        append_string(line, *text, Encoding::utf8);
    } else {
        line += "null";
    }
    line += ',';
}

void write(std::ofstream& file, const Values& row) {
    std::string line = "[";
    for (const Value& value : row) {
        append(line, value);
    }
    line.back() = ']';
    file << line << '\n';
}

void write(std::ofstream& file, const std::string& path, const std::vector<Values>& rows) {
    for (const Values& row : rows) {
        write(file, row);
    }
    if (!file.flush()) {
        throw std::runtime_error("cannot write " + path);
    }
}

}  // namespace

void write_truth(const std::string& path, const std::vector<Values>& rows) {
    std::ofstream file(path, std::ios::binary);
    write(file, path, rows);
}

void write_truths(const std::string& directory, const Server& server) {
    std::filesystem::create_directories(directory);
    for (const StreamId stream : all_streams) {
        const std::string path = directory + "/" + std::string(facts_of(stream).name) + ".jsonl";
        std::ofstream file(path, std::ios::binary);
        Values columns;
        for (const std::string& column : columns_of(stream)) {
            columns.emplace_back(column);
        }
        write(file, columns);
        write(file, path, server.truth(stream));
    }
}

}  // namespace simulator
