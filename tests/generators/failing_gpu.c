/* A Vulkan layer that makes any driver fail: FAILING_GPU_BYTES is all the memory there is to be had, and after
   FAILING_GPU_SUBMITS submits the device is lost. Built and used by test_vulkan.py; one instance, one device. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define ALLOCATIONS 4096

static PFN_vkGetInstanceProcAddr next_instance;
static PFN_vkGetDeviceProcAddr next_device;
static VkInstance the_instance;
static VkDevice the_device;
static struct {
  VkDeviceMemory memory;
  VkDeviceSize size;
} held[ALLOCATIONS];
static VkDeviceSize total;
static atomic_int submits;

static uint64_t limit(const char *name) {
  const char *text = getenv(name);
  return text ? strtoull(text, NULL, 10) : UINT64_MAX;
}

static void note(VkDeviceMemory from, VkDeviceMemory to, VkDeviceSize size) {
  for (int i = 0; i < ALLOCATIONS; i++)
    if (held[i].memory == from) {
      total = total - held[i].size + size;
      held[i].memory = to;
      held[i].size = size;
      return;
    }
  abort(); /* more allocations at a time than this knows of */
}

static VkResult allocate(VkDevice device, const VkMemoryAllocateInfo *info, const VkAllocationCallbacks *callbacks,
                         VkDeviceMemory *memory) {
  if (total + info->allocationSize > limit("FAILING_GPU_BYTES")) return VK_ERROR_OUT_OF_DEVICE_MEMORY;
  PFN_vkAllocateMemory next = (PFN_vkAllocateMemory)next_device(device, "vkAllocateMemory");
  VkResult result = next(device, info, callbacks, memory);
  if (result == VK_SUCCESS) note(VK_NULL_HANDLE, *memory, info->allocationSize);
  return result;
}

static void release(VkDevice device, VkDeviceMemory memory, const VkAllocationCallbacks *callbacks) {
  if (memory) note(memory, VK_NULL_HANDLE, 0);
  ((PFN_vkFreeMemory)next_device(device, "vkFreeMemory"))(device, memory, callbacks);
}

static VkResult submit(VkQueue queue, uint32_t count, const VkSubmitInfo *infos, VkFence fence) {
  if ((uint64_t)atomic_fetch_add(&submits, 1) >= limit("FAILING_GPU_SUBMITS")) return VK_ERROR_DEVICE_LOST;
  return ((PFN_vkQueueSubmit)next_device(the_device, "vkQueueSubmit"))(queue, count, infos, fence);
}

static VkResult create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *callbacks,
                                VkInstance *instance) {
  VkLayerInstanceCreateInfo *link = (VkLayerInstanceCreateInfo *)info->pNext;
  while (link->sType != VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO || link->function != VK_LAYER_LINK_INFO)
    link = (VkLayerInstanceCreateInfo *)link->pNext;
  next_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  PFN_vkCreateInstance next = (PFN_vkCreateInstance)next_instance(NULL, "vkCreateInstance");
  VkResult result = next(info, callbacks, instance);
  the_instance = *instance;
  return result;
}

static VkResult create_device(VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
                              const VkAllocationCallbacks *callbacks, VkDevice *device) {
  VkLayerDeviceCreateInfo *link = (VkLayerDeviceCreateInfo *)info->pNext;
  while (link->sType != VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO || link->function != VK_LAYER_LINK_INFO)
    link = (VkLayerDeviceCreateInfo *)link->pNext;
  next_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  PFN_vkCreateDevice next = (PFN_vkCreateDevice)next_instance(the_instance, "vkCreateDevice");
  VkResult result = next(physical, info, callbacks, device);
  the_device = *device;
  return result;
}

static PFN_vkVoidFunction ours(const char *name);

VK_LAYER_EXPORT PFN_vkVoidFunction vkGetDeviceProcAddr(VkDevice device, const char *name) {
  PFN_vkVoidFunction own = ours(name);
  return own ? own : next_device(device, name);
}

VK_LAYER_EXPORT PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char *name) {
  PFN_vkVoidFunction own = ours(name);
  return own ? own : next_instance(instance, name);
}

static PFN_vkVoidFunction ours(const char *name) {
  static const struct {
    const char *name;
    void *function;
  } table[] = {
      {"vkCreateInstance", (void *)create_instance}, {"vkCreateDevice", (void *)create_device},
      {"vkAllocateMemory", (void *)allocate},        {"vkFreeMemory", (void *)release},
      {"vkQueueSubmit", (void *)submit},             {"vkGetDeviceProcAddr", (void *)vkGetDeviceProcAddr},
      {"vkGetInstanceProcAddr", (void *)vkGetInstanceProcAddr},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (!strcmp(name, table[i].name)) return (PFN_vkVoidFunction)table[i].function;
  return NULL;
}
