// The simulator's options about streams: which rows they have, and who may read them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tests/simulator/account.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/fault.hpp"
#include "tests/simulator/generate.hpp"
#include "tests/simulator/story.hpp"

namespace simulator {

struct StreamSettings {
    StreamId chosen = StreamId::impressions;
    bool story = false;
    StorySize size;
    bool nasty = false;
    bool hostile = false;
    std::vector<std::string> refusals;  ///< "clicks=403"
    std::vector<std::string> failing;   ///< names
    std::string truth_directory;

    /// Fills the other streams, if they are wanted, after the chosen one was generated.
    void fill(Account& account, const Generation& generation);
    /// Throws std::invalid_argument.
    std::map<Call, unsigned> refused() const;
    /// The rule, for the streams that may fail. Throws std::invalid_argument.
    Rule restrict(const Rule& rule) const;
};

void add_stream_options(CLI::App& app, StreamSettings& settings);

}  // namespace simulator
