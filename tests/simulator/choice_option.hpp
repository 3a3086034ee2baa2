// An option of the simulator that takes one of a few names.
#pragma once

#include <map>
#include <string>

#include <CLI/CLI.hpp>

namespace simulator {

template <typename Value>
void add_choice(CLI::App& app, const std::string& name, Value& value,
                const std::map<std::string, Value>& names, const std::string& text) {
    CLI::CheckedTransformer choice(names, CLI::ignore_case);
    choice.description("");  // the names are in the text; its own lists the numbers, too
    app.add_option(name, value, text)->transform(choice)->type_name("NAME");
}

}  // namespace simulator
