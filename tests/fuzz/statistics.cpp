// A body: the statistics of a mailing.
#include <vector>

#include "core/copernica/statistics_decoder.hpp"
#include "core/http/body_sink.hpp"
#include "core/record/stream.hpp"
#include "core/util/printable.hpp"
#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {

void statistics(std::string_view input) {
    std::vector<const Stream*> counted;
    for (const Stream& stream : streams()) {
        if (stream.statistics != StatisticsForm::none) {
            counted.push_back(&stream);
        }
    }
    std::vector<copernica::EventCount> counts;
    try {
        counts = copernica::decode_statistics(input, counted);
    } catch (const http::BadBody& bad) {
        const std::string why = bad.what();
        require(printable(why, why.size()) == why, "an error is not fit for a terminal");
        return;
    }
    require(counts.size() == counted.size(), "a stream is not counted");
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const bool has_unique = counted[i]->statistics == StatisticsForm::total_and_unique;
        require(counts[i].unique.has_value() == has_unique, "distinct destinations where none are");
        require(counts[i].unique.value_or(0) <= counts[i].total, "more destinations than events");
    }
}

}  // namespace mirror::fuzz
