#include <vector>
#include "shape.hpp"
using std::string;
using namespace geo;
using Text = std::vector<string>;
namespace fs = std::filesystem;

namespace geo::detail {
template <typename T, int N = 3>
class Box : public Base<T>, private util::Mixin {
public:
    explicit Box(T value, int size = LIMIT) : value_(value), Base<T>(size) {}
    virtual ~Box();
    T get() const noexcept override;
    static int count;
    bool operator==(const Box &other) const { return value_ == other.value_; }
    template <class U> void apply(U &&fn) { fn(this->value_, *size()); }
private:
    T value_ = T();
    struct Inner { int deep; };
    enum class Mode : char { On, Off };
};
}

template <typename T>
T Box<T>::get() const { return value_; }

int geo::area(const Box<int> &box, string name) {
    auto made = std::make_unique<Box<int>>(1, 2);
    Box<int> local(1), *heap = new detail::Box<int>(3);
    auto fn = [&made, x = LIMIT](int q) { return q + x; };
    for (auto &each : box.items()) each.run();
    try { throw Error("bad_name"); } catch (const std::exception &e) { log(e.what()); }
    return static_cast<int>(Color::Red) + fn(1);
}
static void hidden() {}
const int LIMIT = 3;
extern "C" { void exported(int a); }
