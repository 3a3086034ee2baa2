#include "daemon/cli/usage_text.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/util/nearest_word.hpp"
#include "daemon/config/token_text.hpp"

namespace mirror::daemon {
namespace {

constexpr const char* how_to_give_a_token =
    "a token is never an argument, because other users can see it in the list of processes, and "
    "this one should be replaced; put the token into a file that only you may read and name the "
    "file with --token-file, or set $COPERNICA_ACCESS_TOKEN";

std::vector<std::string> long_options(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* const option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.push_back("--" + name);
        }
    }
    return names;
}

std::vector<std::string> commands(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* const command :
         app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

// "--tokn", "--access-token", but not "--token-file".
bool is_about_a_token(const std::string& option) {
    return option.find("token") != std::string::npos || option == "--api-key";
}

bool is_of_a_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

// What may be an option's name. Its value may follow without a space, and be a token: "-tVALUE",
// "--auth:VALUE".
std::string name_of_option(const std::string& argument) {
    if (!argument.starts_with("--")) {
        return argument.substr(0, 2);
    }
    const auto end = std::find_if_not(argument.begin(), argument.end(), is_of_a_name);
    return {argument.begin(), end};
}

std::string_view without_signs(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of("-:="), text.size()));
}

// The same without what would be a token by itself.
std::string shown_option(const std::string& argument) {
    const std::string name = name_of_option(argument);
    return looks_like_a_token(without_signs(name)) ? "that is not shown" : name;
}

bool has_a_token(const std::string& argument) {
    const std::string_view all = argument;
    return looks_like_a_token(without_signs(all)) ||
           looks_like_a_token(without_signs(all.substr(name_of_option(argument).size())));
}

// The commands that have an option which this one has not.
std::vector<std::string> commands_with(const CLI::App& app, const std::string& option) {
    std::vector<std::string> names;
    for (const CLI::App* const command :
         app.get_subcommands([](const CLI::App*) { return true; })) {
        const auto options = long_options(*command);
        if (std::find(options.begin(), options.end(), option) != options.end()) {
            names.push_back(command->get_name());
        }
    }
    return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
    const auto nearest = nearest_word(word, known);
    return nearest ? fmt::format("; did you mean {}?", *nearest) : "";
}

std::string option_of_others(const CLI::App& app, const std::string& option,
                             const std::vector<std::string>& others) {
    const std::string what = fmt::format("{} is an option of {}", option, fmt::join(others, ", "));
    if (app.get_subcommands().empty()) {
        return what + "; name the command";
    }
    const std::string chosen = app.get_subcommands().front()->get_name();
    if (std::find(others.begin(), others.end(), chosen) != others.end()) {
        return what + ", and stands behind the command";
    }
    return fmt::format("{}, and not of {}", what, chosen);
}

std::string unknown_option(const CLI::App& app, const std::string& argument) {
    const std::string option = name_of_option(argument);
    std::vector<std::string> known = long_options(app);
    for (const CLI::App* const command : app.get_subcommands()) {
        const auto own = long_options(*command);
        known.insert(known.end(), own.begin(), own.end());
    }
    if (is_about_a_token(argument.substr(0, argument.find('='))) || has_a_token(argument)) {
        return fmt::format("unknown option {}: {}", shown_option(argument), how_to_give_a_token);
    }
    if (const auto others = commands_with(app, option); !others.empty()) {
        return option_of_others(app, option, others);
    }
    return fmt::format("unknown option {}{}", option, did_you_mean(option, known));
}

std::string unexpected_word(const CLI::App& app, const std::string& word) {
    if (looks_like_a_token(word)) {
        return fmt::format("an argument that looks like a token (it is not shown): {}",
                           how_to_give_a_token);
    }
    if (app.get_subcommands().empty()) {
        return fmt::format("unknown command \"{}\"{}", word, did_you_mean(word, commands(app)));
    }
    return fmt::format("{} does not take \"{}\"", app.get_subcommands().front()->get_name(), word);
}

std::optional<std::string> left_over(const CLI::App& app) {
    const std::vector<std::string> words = app.remaining(true);
    const auto option = std::find_if(words.begin(), words.end(), [](const std::string& word) {
        return word.starts_with("-") && word.size() > 1;
    });
    // The words behind an option that is not known may be its values.
    if (option != words.end() && (option == words.begin() || !app.get_subcommands().empty())) {
        return unknown_option(app, *option);
    }
    return words.empty() ? std::nullopt : std::optional(unexpected_word(app, words.front()));
}

// CLI11 says "--from: 1 required T missing" and "--statistics excludes --repair".
std::string without_library_words(const std::string& what) {
    constexpr std::string_view excludes = " excludes ";
    if (const std::size_t verb = what.find(excludes); verb != std::string::npos) {
        return fmt::format("{} does not go with {}", what.substr(0, verb),
                           what.substr(verb + excludes.size()));
    }
    constexpr std::string_view before = ": 1 required ";
    constexpr std::string_view after = " missing";
    const std::size_t at = what.find(before);
    if (at == std::string::npos || !what.starts_with('-') || !what.ends_with(after)) {
        return what;
    }
    const std::size_t value = at + before.size();
    return fmt::format("{} needs a value ({})", what.substr(0, at),
                       what.substr(value, what.size() - after.size() - value));
}

}  // namespace

std::string usage_text(const CLI::App& app, const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const std::string help =
        chosen.empty() ? "copernica-mirror --help"
                       : fmt::format("copernica-mirror {} --help", chosen.front()->get_name());
    std::string what = without_library_words(error.what());
    if (const auto words = left_over(app)) {
        what = *words;
    } else if (chosen.empty() && error.get_name() == "RequiredError") {
        what = fmt::format("a command is required: one of {}", fmt::join(commands(app), ", "));
    }
    return fmt::format("{}; see {}", what, help);
}

}  // namespace mirror::daemon
