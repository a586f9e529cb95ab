package shop.core

import java.util.Date
import shop.model.Item as Thing
import shop.util.*

const val LIMIT = 10
private val cache: Map<String, Thing> = HashMap()
typealias Names = List<String>

@Serializable
open class Cart<T : Any>(val size: Int, name: String = "main_cart") : Base<T>(size), Shape {
    var total: Int = compute(size)
        private set
    lateinit var owner: Owner
    override fun area(scale: Double, vararg rest: Int): Double {
        val (a, b) = pair
        for (i in 0 until LIMIT) { total += i }
        this.owner.name = rest.map { it + a }.first()
        items.forEach { item, other -> item.save(other, mode = Mode.FAST) }
        return when (b) { is Thing -> Date().time else -> super.area(scale) }
    }
    companion object {
        fun make() = Cart<Int>(1)
    }
    private fun hide() { fun inner(x: Int) = x }
    constructor(other: Cart<T>) : this(other.size)
}

interface Shape {
    fun area(scale: Double): Double
    val sides: Int
}
enum class Color(val rgb: Int) { RED(1), GREEN(2) }
object Single {
    val instance by lazy { Single }
}
data class Point(val x: Int)
fun String.shout(loud: Boolean = true): String = this.uppercase() + ::hide
fun run() {
    try { risky() } catch (e: Failure) { throw Other(e) }
    val f = fun(x: Int): Int { return x }
    obj?.field!!.deep
}
