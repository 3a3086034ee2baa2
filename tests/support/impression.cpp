#include "tests/support/impression.hpp"

namespace mirror::tests {

Row row_of(const Impression& impression) {
    Row row;
    row.id = impression.id;
    row.time = impression.time;
    row.integers[slot::mailing] = impression.mailing;
    row.integers[slot::destination] = impression.destination;
    row.integers[slot::profile] = impression.profile;
    row.integers[slot::subprofile] = impression.subprofile;
    row.texts[slot::ip] = impression.ip;
    row.entries[slot::agent] = {impression.useragent, impression.device};
    row.extra = impression.extra;
    return row;
}

Impression impression_of(const Row& row) {
    Impression impression;
    impression.id = row.id;
    impression.time = row.time;
    impression.mailing = row.integers[slot::mailing];
    impression.destination = row.integers[slot::destination];
    impression.profile = row.integers[slot::profile];
    impression.subprofile = row.integers[slot::subprofile];
    impression.ip = row.texts[slot::ip];
    impression.useragent = row.entries[slot::agent].first;
    impression.device = row.entries[slot::agent].second;
    impression.extra = row.extra;
    return impression;
}

}  // namespace mirror::tests
