#include "tests/unit/copernica/decoded.hpp"

#include <string_view>

namespace mirror::tests {

using copernica::Page;
using copernica::PageDecoder;
using copernica::PageLimits;

Page decode(const std::string& body, std::size_t piece, const PageLimits& limits) {
    PageDecoder decoder(limits);
    decoder.begin(*find_stream("impressions"));
    for (std::size_t at = 0; at < body.size(); at += piece) {
        decoder.feed(std::string_view(body).substr(at, piece));
    }
    decoder.finish();
    return decoder.take();
}

Page decode_fields(const std::string& fields) {
    return decode(R"({"data":[{"ID":7,"timestamp":"2014-10-09 13:41:46")" +
                  (fields.empty() ? "" : "," + fields) + "}]}");
}

}  // namespace mirror::tests
