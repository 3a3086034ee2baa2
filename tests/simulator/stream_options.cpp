#include "tests/simulator/stream_options.hpp"

#include <optional>
#include <stdexcept>

#include "tests/simulator/hostile.hpp"
#include "tests/simulator/nasty.hpp"

namespace simulator {
namespace {

const std::map<std::string, StreamId>& names() {
    static const std::map<std::string, StreamId> all = [] {
        std::map<std::string, StreamId> result;
        for (const StreamId stream : all_streams) {
            result.emplace(facts_of(stream).name, stream);
        }
        return result;
    }();
    return all;
}

Call call_named(const std::string& name) {
    static const std::map<std::string, Call> others{{"identity", Call::identity},
                                                    {"statistics", Call::statistics},
                                                    {"consumption", Call::consumption}};
    if (const auto stream = stream_named(name)) {
        return call_of(*stream);
    }
    const auto other = others.find(name);
    if (other == others.end()) {
        throw std::invalid_argument("unknown call \"" + name + "\"");
    }
    return other->second;
}

void add_size(CLI::App& app, StreamSettings& settings, const std::string& name,
              std::optional<std::uint64_t>& size, const std::string& usual) {
    app.add_option_function<std::uint64_t>(
        "--" + name,
        [&settings, &size](std::uint64_t rows) {
            settings.story = true;
            size = rows;
        },
        "How many, with --story (" + usual + ")");
}

}  // namespace

void StreamSettings::fill(Account& account, const Generation& generation) {
    if (story) {
        Story told;
        told.size = size;
        told.seed = generation.seed;
        told.end = generation.period.end;
        told.late_share = generation.late_share;
        told.latest_by = generation.latest_by;
        tell(account, told);
    }
    if (nasty) {
        for (const StreamId stream : all_streams) {
            Table& table = account.of(stream);
            for (const NastyRow& one :
                 nasty_rows(stream, table.greatest_id() + 1,
                            generation.period.end - mirror::Seconds(1), account.zone())) {
                table.add(one.row);
            }
        }
    }
    if (hostile) {
        make_hostile(account);
    }
}

std::map<Call, unsigned> StreamSettings::refused() const {
    std::map<Call, unsigned> result;
    for (const std::string& refusal : refusals) {
        const std::size_t sign = refusal.find('=');
        const std::string status = sign == std::string::npos ? "403" : refusal.substr(sign + 1);
        result[call_named(refusal.substr(0, sign))] = static_cast<unsigned>(std::stoul(status));
    }
    return result;
}

Rule StreamSettings::restrict(const Rule& rule) const {
    if (failing.empty()) {
        return rule;
    }
    std::vector<Rule> rules;
    for (const std::string& name : failing) {
        const auto stream = stream_named(name);
        if (!stream) {
            throw std::invalid_argument("unknown stream \"" + name + "\"");
        }
        rules.push_back(rules::on(*stream, rule));
    }
    return rules::first_of(rules);
}

void add_stream_options(CLI::App& app, StreamSettings& settings) {
    app.option_defaults()->group("Streams");
    CLI::CheckedTransformer choice(names(), CLI::ignore_case);
    choice.description("");
    app.add_option("--stream", settings.chosen,
                   "The stream that --rows, --shape and --live make rows of, and that"
                   " --truth-file is about: impressions (default), clicks, deliveries, errors,"
                   " abuses, unsubscribes, mailings")
        ->transform(choice)
        ->type_name("NAME");
    app.add_flag("--story", settings.story,
                 "Fill the other streams from the impressions: mailings are sent, delivered or"
                 " bounced, opened, clicked");
    add_size(app, settings, "deliveries", settings.size.deliveries, "10 for each impression");
    add_size(app, settings, "errors", settings.size.errors, "2 % of the impressions");
    add_size(app, settings, "clicks", settings.size.clicks, "20 %");
    add_size(app, settings, "unsubscribes", settings.size.unsubscribes, "0.5 %");
    add_size(app, settings, "abuses", settings.size.abuses, "0.05 %");
    app.add_flag("--nasty", settings.nasty,
                 "Give each stream rows with values of wrong kinds, of extreme sizes, twice");
    app.add_flag("--hostile", settings.hostile,
                 "Make user agents, devices, subjects and messages of HTML, script, directions of"
                 " writing, words without end, emoji");
    app.add_option("--refuse", settings.refusals,
                   "NAME or NAME=STATUS: the token has no right to that stream, or to identity,"
                   " statistics, consumption (status 403); repeatable")
        ->type_name("CALL");
    app.add_option("--failing", settings.failing,
                   "The stream that --error-rate is about; repeatable (all)")
        ->type_name("NAME");
    app.add_option("--truth-directory", settings.truth_directory,
                   "At the end, write NAME.jsonl for each stream: the columns' names, then what a"
                   " mirror must hold");
}

}  // namespace simulator
