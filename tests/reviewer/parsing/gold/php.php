<?php
namespace Shop\Core;

use Shop\Model\Item as Thing;
use Shop\{Base, Util\Helper as H};
use function Shop\compute;
use const Shop\LIMIT;
require_once 'lib/boot.php';

const TOP = 1;
define('DEFINED', 2);

abstract class Cart extends Base implements \Countable, Api\Shape
{
    use Mixin;
    public const MAX = LIMIT;
    private static ?Thing $cache = null;
    public function __construct(private int $size, string $name = self::MAX, ...$rest)
    {
        parent::__construct($size);
        $this->name = $name;
    }
    #[Route('main_page')]
    public static function make(array &$rows): ?static
    {
        foreach ($rows as $key => $row) { $row->save(...$key); }
        $fn = fn(int $x) => $x + TOP;
        $it = new Thing(size: 1);
        $it->deep->value = H::run($fn, Cart::MAX, static::$cache);
        try { compute(); } catch (\Err\Failure $e) { throw new self(); }
        return $it instanceof Shape ? $it : null;
    }
    abstract protected function hide();
    private function secret() {}
}
interface Shape { function area(float $scale); }
trait Mixin { public $shared; }
enum Suit: string { case Hearts = 'H'; }
function helper($a, $b = [1]) {
    $c = function () use ($a) { return $a; };
    global $count;
    return $c()->go()["key_name"];
}
